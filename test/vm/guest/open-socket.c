/* open-socket FAMILY TYPE PROTOCOL: opens a socket and closes it; ends with the error number. The shell cannot open one of any family. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
  if (argc != 4) return 255;
  return socket(atoi(argv[1]), atoi(argv[2]), atoi(argv[3])) < 0 ? errno : 0;
}
