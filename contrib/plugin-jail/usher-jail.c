/*
 * usher-jail [--net] [--read PATH]... -- PROGRAM [ARGUMENT]...
 *
 * Runs a program that nobody vouches for: as nobody, with no capability and no way to get one, in namespaces of its own, where it can
 * read what is named and the system's libraries and write nothing. Descriptors 0 to 3 are passed on, no others. usherd starts plugins
 * of third parties with it; it ends when they do, and they end when it does.
 *
 * Status 125: the jail could not be made, and standard error says why; nothing was run. Else the program's, or 128 and its signal.
 * Landlock and seccomp are asked of the kernel; one without Landlock leaves files to their modes, and standard error says so in a line
 * that begins with "usher-jail: partial".
 * Source: landlock(7), seccomp(2), namespaces(7), capabilities(7), prctl(2).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  NOBODY = 65534,
  JAIL_FAILED = 125,
  /* Descriptors a plugin may have open; Node itself has some twenty. */
  FILES_MAX = 64,
  /* Threads of one uid; Node has eleven, and other plugins run as the same uid. */
  THREADS_MAX = 512,
  /* Last capability there is to drop; the kernel says EINVAL beyond its own last one. */
  CAPABILITIES_MAX = 63,
  FIRST_OTHER_FD = 4,
  READS_MAX = 64,
};

/* Writable private memory. V8 reserves 512 MiB of it for code, which it hardly uses; the rest is objects (64 MiB, by a flag), stacks, buffers. */
static const rlim_t DATA_MAX_BYTES = 768UL * 1024 * 1024;

/* What every Node needs to be able to start and to make random numbers. */
static const char *const SYSTEM_READS[] = {
  "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/dev/null", "/dev/urandom",
};

/* What name resolution and TLS need on top. */
static const char *const NET_READS[] = {
  "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/ssl", "/usr/share/ca-certificates",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static _Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("usher-jail: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  _exit(JAIL_FAILED);
}

static void limit(int what, rlim_t most, const char *name) {
  const struct rlimit bound = {most, most};
  if (setrlimit((__rlimit_resource_t)what, &bound) != 0) fail("%s cannot be limited: %s", name, strerror(errno));
}

static void write_file(const char *file, const char *text) {
  int fd = open(file, O_WRONLY | O_CLOEXEC);
  if (fd < 0) fail("%s: %s", file, strerror(errno));
  if (write(fd, text, strlen(text)) < 0) fail("%s: %s", file, strerror(errno));
  close(fd);
}

/* Namespaces of its own. Whoever is not root needs one of users, too, in which it stays who it is. */
static void leave_namespaces(int with_net) {
  int spaces = CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID | (with_net ? 0 : CLONE_NEWNET);
  uid_t uid = geteuid();
  gid_t gid = getegid();
  if (uid != 0) {
    char map[64];
    if (unshare(CLONE_NEWUSER) != 0) fail("no namespace of users: %s", strerror(errno));
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "%u %u 1", gid, gid);
    write_file("/proc/self/gid_map", map);
    snprintf(map, sizeof map, "%u %u 1", uid, uid);
    write_file("/proc/self/uid_map", map);
  }
  if (unshare(spaces) != 0) fail("no namespaces of its own: %s", strerror(errno));
}

static void become_nobody(void) {
  for (unsigned long capability = 0; capability <= CAPABILITIES_MAX; capability++) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL && errno != EPERM)
      fail("capability %lu cannot be dropped: %s", capability, strerror(errno));
  }
  if (geteuid() == 0) {
    if (setgroups(0, NULL) != 0) fail("groups cannot be left: %s", strerror(errno));
    if (setresgid(NOBODY, NOBODY, NOBODY) != 0) fail("group %d: %s", NOBODY, strerror(errno));
    if (setresuid(NOBODY, NOBODY, NOBODY) != 0) fail("user %d: %s", NOBODY, strerror(errno));
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no_new_privs: %s", strerror(errno));
}

/* Lets what is below the path, or the file itself, be read and run. A path that is not there needs no rule. */
static void let_read(int ruleset, const char *path) {
  struct landlock_path_beneath_attr rule = {
    .allowed_access = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    .parent_fd = open(path, O_PATH | O_CLOEXEC),
  };
  struct stat status;
  if (rule.parent_fd < 0) return;
  if (fstat(rule.parent_fd, &status) != 0) fail("%s: %s", path, strerror(errno));
  if (!S_ISDIR(status.st_mode)) rule.allowed_access &= ~(__u64)LANDLOCK_ACCESS_FS_READ_DIR;
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    fail("landlock rule for %s: %s", path, strerror(errno));
  close(rule.parent_fd);
}

static void keep_from_files(const char *const *reads, size_t count, const char *program, int with_net) {
  /* Every right of Landlock's first version: those to write, make, remove and rename are handled and given for no path. */
  const struct landlock_ruleset_attr handled = {
    .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
  };
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
  if (ruleset < 0) {
    fprintf(stderr, "usher-jail: partial: this kernel has no Landlock (%s)\n", strerror(errno));
    return;
  }
  for (size_t i = 0; i < COUNT(SYSTEM_READS); i++) let_read(ruleset, SYSTEM_READS[i]);
  for (size_t i = 0; with_net && i < COUNT(NET_READS); i++) let_read(ruleset, NET_READS[i]);
  for (size_t i = 0; i < count; i++) let_read(ruleset, reads[i]);
  let_read(ruleset, program);
  if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) fail("landlock: %s", strerror(errno));
  close(ruleset);
}

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef THIS_ARCH
#define REFUSE(call) \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

/* Calls no plugin has a use for and kernels have had holes in. Nobody may make most of them anyway; user namespaces would change that. */
static void keep_from_calls(int with_net) {
  struct sock_filter calls[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    /* glibc falls back to clone(2) on ENOSYS; clone3's flags cannot be seen from here. */
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    REFUSE(SYS_unshare), REFUSE(SYS_setns), REFUSE(SYS_mount), REFUSE(SYS_umount2), REFUSE(SYS_pivot_root),
    REFUSE(SYS_chroot), REFUSE(SYS_ptrace), REFUSE(SYS_process_vm_readv), REFUSE(SYS_process_vm_writev),
    REFUSE(SYS_bpf), REFUSE(SYS_perf_event_open), REFUSE(SYS_keyctl), REFUSE(SYS_add_key), REFUSE(SYS_request_key),
    REFUSE(SYS_userfaultfd), REFUSE(SYS_io_uring_setup), REFUSE(SYS_init_module), REFUSE(SYS_finit_module),
    REFUSE(SYS_delete_module), REFUSE(SYS_kexec_load), REFUSE(SYS_kexec_file_load), REFUSE(SYS_reboot),
    REFUSE(SYS_swapon), REFUSE(SYS_swapoff), REFUSE(SYS_open_by_handle_at),
    /* Last, so that it can be left out. */
    REFUSE(SYS_socket),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const size_t count = COUNT(calls);
  if (with_net) {
    calls[count - 3] = calls[count - 1];
  }
  const struct sock_fprog program = {(unsigned short)count, calls};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) fail("seccomp: %s", strerror(errno));
}
#else
static void keep_from_calls(int with_net) {
  (void)with_net;
  fputs("usher-jail: partial: no filter of system calls for this processor\n", stderr);
}
#endif

static _Noreturn void wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) fail("waitpid: %s", strerror(errno));
  }
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(int argc, char **argv) {
  const char *reads[READS_MAX];
  size_t count = 0;
  int with_net = 0;
  int next = 1;
  for (; next < argc && strcmp(argv[next], "--") != 0; next++) {
    if (strcmp(argv[next], "--net") == 0) with_net = 1;
    else if (strcmp(argv[next], "--read") == 0 && next + 1 < argc && count < READS_MAX) reads[count++] = argv[++next];
    else fail("%s: unknown word, wanted [--net] [--read PATH]... -- PROGRAM", argv[next]);
  }
  if (next + 1 >= argc) fail("no program is named");
  char **words = argv + next + 1;

  if (syscall(SYS_close_range, FIRST_OTHER_FD, ~0U, 0) != 0 && errno != ENOSYS) fail("close_range: %s", strerror(errno));
  leave_namespaces(with_net);
  pid_t child = fork();
  if (child < 0) fail("fork: %s", strerror(errno));
  if (child > 0) {
    /* It holds no end of the channel, so that closing one of the others is seen by the other. */
    for (int fd = 0; fd < FIRST_OTHER_FD; fd++) close(fd);
    wait_for(child);
  }
  umask(077);
  if (chdir("/") != 0) fail("/: %s", strerror(errno));
  limit(RLIMIT_CORE, 0, "core");
  limit(RLIMIT_FSIZE, 0, "file size");
  limit(RLIMIT_NOFILE, FILES_MAX, "files");
  limit(RLIMIT_DATA, DATA_MAX_BYTES, "memory");
  limit(RLIMIT_MEMLOCK, 0, "locked memory");
  become_nobody();
  if (geteuid() == NOBODY) limit(RLIMIT_NPROC, THREADS_MAX, "threads");
  /* After the change of user, which clears it. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) fail("pdeathsig: %s", strerror(errno));
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) fail("dumpable: %s", strerror(errno));
  keep_from_files(reads, count, words[0], with_net);
  keep_from_calls(with_net);
  execv(words[0], words);
  fail("%s: %s", words[0], strerror(errno));
}
