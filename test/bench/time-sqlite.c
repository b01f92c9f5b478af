/*
 * Insert rate of SQLite from C, on the ledger's own schema and with its settings: the peer of ledger.ts.
 * usage: time-sqlite DB_FILE SCHEMA.sql ROWS BATCH DEVICES → one JSON line
 *
 * Rows are what the ledger writes for the same events: ids of texts, which stand in `str` beforehand, and every eighth a value in its
 * row; each batch brings the rows of its devices up to date and ends with a seal of 16 bytes per row. Nothing is hashed, interned or
 * counted here: that is what ours has to pay for.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static sqlite3 *db;

static void run(const char *sql)
{
	char *message = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, message);
		exit(1);
	}
}

static sqlite3_stmt *prepare(const char *sql)
{
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
		exit(1);
	}
	return statement;
}

static void step(sqlite3_stmt *statement)
{
	if (sqlite3_step(statement) != SQLITE_DONE) {
		fprintf(stderr, "%s\n", sqlite3_errmsg(db));
		exit(1);
	}
	sqlite3_reset(statement);
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		exit(1);
	char *text = calloc(1, 1 << 20);
	if (fread(text, 1, (1 << 20) - 1, file) == 0)
		exit(1);
	fclose(file);
	return text;
}

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	long rows = atol(argv[3]), batch = atol(argv[4]), devices = atol(argv[5]);
	if (sqlite3_open(argv[1], &db) != SQLITE_OK)
		return 1;
	run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = 8388608;"
	    "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096;");
	run(read_file(argv[2]));
	sqlite3_stmt *text = prepare("INSERT INTO str (id, text) VALUES (?, ?)");
	run("BEGIN");
	for (long n = 1; n <= 3 * devices + 64; n++) {
		char path[128];
		int length = snprintf(path, sizeof path, "/devices/pci0000:00/0000:00:14.0/usb%ld/%ld-%ld/%ld-%ld:1.0", n >> 8, n >> 8, n & 255, n >> 8, n);
		sqlite3_bind_int64(text, 1, n);
		sqlite3_bind_text(text, 2, path, length, SQLITE_TRANSIENT);
		step(text);
	}
	run("COMMIT");
	sqlite3_stmt *event = prepare("INSERT INTO uevent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	sqlite3_stmt *seal = prepare("INSERT INTO seal VALUES (?, ?, ?, ?, ?)");
	sqlite3_stmt *device_row = prepare("INSERT INTO device VALUES (?, ?, ?, 6, 1, 0, 1, 0, 0, 0)");
	run("BEGIN");
	for (long n = 0; n < devices; n++) {
		sqlite3_bind_int64(device_row, 1, n + 1);
		sqlite3_bind_int64(device_row, 2, 64 + n);
		sqlite3_bind_int64(device_row, 3, 64 + devices + n);
		step(device_row);
	}
	run("COMMIT");
	sqlite3_stmt *seen = prepare("UPDATE device SET last_id = ?, last_ms = ?, events = events + ?, adds = adds + ? WHERE id = ?");
	unsigned char *digests = malloc(16 * batch);
	for (long n = 0; n < 16 * batch; n++)
		digests[n] = rand();
	double before = now_s();
	for (long id = 2; id < rows + 2;) {
		long first = id;
		run("BEGIN IMMEDIATE");
		for (long n = 0; n < batch && id < rows + 2; n++, id++) {
			long device = id * 7919 % devices;
			char value[16];
			sqlite3_bind_int64(event, 1, id);
			sqlite3_bind_int64(event, 2, 1);
			sqlite3_bind_double(event, 3, 1764547200000.0 + id * 3153.6);
			sqlite3_bind_int64(event, 4, 5000 + id);
			sqlite3_bind_int64(event, 5, 1 + id % 5);
			sqlite3_bind_int64(event, 6, 64 + device);
			sqlite3_bind_int64(event, 7, 6);
			sqlite3_bind_int64(event, 8, 64 + devices + device);
			sqlite3_bind_null(event, 9);
			sqlite3_bind_int64(event, 10, 7);
			sqlite3_bind_null(event, 11);
			sqlite3_bind_null(event, 12);
			sqlite3_bind_int64(event, 13, 8);
			if (id % 8 == 0)
				sqlite3_bind_text(event, 14, value, snprintf(value, sizeof value, "usb\n%ld", id), SQLITE_STATIC);
			else
				sqlite3_bind_int64(event, 14, 64 + 2 * devices + device);
			step(event);
		}
		for (long n = first; n < id && n < first + devices; n++) {
			sqlite3_bind_int64(seen, 1, n);
			sqlite3_bind_double(seen, 2, 1764547200000.0 + n * 3153.6);
			sqlite3_bind_int64(seen, 3, 1);
			sqlite3_bind_int64(seen, 4, n % 3 == 0);
			sqlite3_bind_int64(seen, 5, 1 + n * 7919 % devices);
			step(seen);
		}
		sqlite3_bind_int64(seal, 1, first);
		sqlite3_bind_int64(seal, 2, id - 1);
		sqlite3_bind_double(seal, 3, 1764547200000.0);
		sqlite3_bind_blob(seal, 4, digests, 16 * (id - first), SQLITE_STATIC);
		sqlite3_bind_blob(seal, 5, digests, 32, SQLITE_STATIC);
		step(seal);
		run("COMMIT");
	}
	printf("{\"rowsPerS\":%.0f,\"sqlite\":\"%s\"}\n", rows / (now_s() - before), sqlite3_libversion());
	return 0;
}
