/*
 * time-uevents FILE: writes "MILLISECONDS HEADER" of each of the kernel's uevents, by the clock of /proc/uptime, until it is killed. So
 * small a listener, and before all others, that the times are those of the events and nobody waits for it.
 */
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum { BUFFER_BYTES = 8 * 1024 * 1024, DATAGRAM_BYTES = 8192 };

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  static char datagram[DATAGRAM_BYTES + 1];
  const int size = BUFFER_BYTES;
  const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK, .nl_groups = 1};
  FILE *file = fopen(argv[1], "w");
  const int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
  if (file == NULL || fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0 ||
      bind(fd, (const struct sockaddr *)&kernel, sizeof kernel) != 0 || setpriority(PRIO_PROCESS, 0, -20) != 0) {
    perror("time-uevents");
    return 1;
  }
  for (;;) {
    const ssize_t length = recv(fd, datagram, DATAGRAM_BYTES, 0);
    if (length <= 0) continue;
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    datagram[length] = '\0';
    fprintf(file, "%.3f %s\n", (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6, datagram);
    fflush(file);
  }
}
