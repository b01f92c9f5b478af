/*
 * time-spawns ROUNDS -- PROGRAM [WORD]... -- PROGRAM [WORD]...
 *
 * Runs commands in turn, so that whatever else the machine does meets all alike, and prints the median wall time of each in µs and the most
 * memory it had resident in KiB, a line each. A small parent: starting a child from Node takes longer than some of these commands.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

enum { COMMANDS_MAX = 32, ROUNDS_MAX = 10000 };

static double now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  char **commands[COMMANDS_MAX];
  int count = 0;
  int rounds = argc > 1 ? atoi(argv[1]) : 0;
  for (int i = 2; i < argc; i++) {
    if (strcmp(argv[i], "--") != 0) continue;
    argv[i] = NULL;
    if (i + 1 < argc && count < COMMANDS_MAX) commands[count++] = argv + i + 1;
  }
  if (rounds < 1 || rounds > ROUNDS_MAX || count == 0) return 2;
  double *times = calloc((size_t)(count * rounds), sizeof *times);
  if (times == NULL) return 1;
  long peaks[COMMANDS_MAX] = {0};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd < 3; fd++) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", fd == 0 ? O_RDONLY : O_WRONLY, 0);
  for (int round = -1; round < rounds; round++) {
    for (int n = 0; n < count; n++) {
      pid_t child;
      int status;
      double before = now_us();
      if (posix_spawnp(&child, commands[n][0], &actions, NULL, commands[n], environ) != 0) {
        fprintf(stderr, "%s cannot be started\n", commands[n][0]);
        return 1;
      }
      struct rusage usage;
      wait4(child, &status, 0, &usage);
      if (usage.ru_maxrss > peaks[n]) peaks[n] = usage.ru_maxrss;
      if (round >= 0) times[n * rounds + round] = now_us() - before;
    }
  }
  for (int n = 0; n < count; n++) {
    qsort(times + n * rounds, (size_t)rounds, sizeof *times, by_size);
    printf("%.1f %ld\n", times[n * rounds + rounds / 2], peaks[n]);
  }
  return 0;
}
