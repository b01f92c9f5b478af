/*
 * Times libkmod's look-up of modaliases in process: the peer of modalias.ts.
 * build: cc -O2 -o time-libkmod time-libkmod.c -lkmod      usage: time-libkmod MODULES_DIR FILE ROUNDS
 * FILE has one modalias a line. Prints one JSON line: mean of the median round, and the 99th percentile of single look-ups, in ns.
 * With ROUNDS 0 it prints for each line the modalias, a tab and the sorted names, each once, instead.
 */
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINES_MAX 200000
#define NAMES_MAX 1024

static char *lines[LINES_MAX];
static double single[LINES_MAX];

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static int by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_names(struct kmod_ctx *ctx, const char *alias)
{
	struct kmod_list *found = NULL, *each;
	char *names[NAMES_MAX];
	size_t count = 0;

	kmod_module_new_from_lookup(ctx, alias, &found);
	kmod_list_foreach(each, found)
	{
		struct kmod_module *module = kmod_module_get_module(each);

		if (count < NAMES_MAX)
			names[count++] = strdup(kmod_module_get_name(module));
		kmod_module_unref(module);
	}
	kmod_module_unref_list(found);
	qsort(names, count, sizeof *names, by_text);
	printf("%s\t", alias);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			printf("%s%s", i == 0 ? "" : ",", names[i]);
	putchar('\n');
}

int main(int argc, char **argv)
{
	const char *no_config = NULL;
	double means[64];
	size_t count = 0, room = 0;
	char *line = NULL;
	ssize_t length;
	FILE *file = argc > 3 ? fopen(argv[2], "r") : NULL;
	int rounds = argc > 3 ? atoi(argv[3]) : 0;

	if (file == NULL || rounds > 64) {
		fprintf(stderr, "usage: time-libkmod MODULES_DIR FILE ROUNDS (at most 64)\n");
		return 2;
	}
	while (count < LINES_MAX && (length = getline(&line, &room, file)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = 0;
		lines[count++] = strdup(line);
	}
	struct kmod_ctx *ctx = kmod_new(argv[1], &no_config);

	if (ctx == NULL || kmod_load_resources(ctx) < 0) {
		fprintf(stderr, "time-libkmod: %s: no indexes\n", argv[1]);
		return 1;
	}
	if (rounds == 0) {
		for (size_t i = 0; i < count; i++)
			print_names(ctx, lines[i]);
		return 0;
	}
	for (int round = -1; round < rounds; round++) { /* the first only warms up */
		double from = now();

		for (size_t i = 0; i < count; i++) {
			struct kmod_list *found = NULL;
			double at = now();

			kmod_module_new_from_lookup(ctx, lines[i], &found);
			kmod_module_unref_list(found);
			single[i] = now() - at;
		}
		if (round >= 0)
			means[round] = (now() - from) / (double)count;
	}
	qsort(means, (size_t)rounds, sizeof *means, by_number);
	qsort(single, count, sizeof *single, by_number);
	printf("{\"meanNs\":%.0f,\"p99Ns\":%.0f}\n", means[rounds / 2], single[count * 99 / 100]);
	kmod_unref(ctx);
	return 0;
}
