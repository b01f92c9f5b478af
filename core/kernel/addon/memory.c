/*
 * Memory that need not be our own: files mapped in place of copies, and what is not in use given back to the system.
 */
#include "addon.h"
#include "xz-block.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Largest file mapped: the compiled aliases of a distribution's kernel have under 3 MB. */
#define MAPPED_MAX_BYTES (INT64_C(1) << 28)
/* Parts of the program and its libraries that nothing writes: a Node has some twenty. */
#define UNWRITTEN_MAX 128

static void unmap(napi_env env, void *bytes, void *hint) {
  (void)env;
  munmap(bytes, (size_t)(uintptr_t)hint);
}

/*
 * mapFile(fd, sizeBytes) → ArrayBuffer over the file's pages, or a negative error number. Private: a write would go to a copy. Whoever
 * maps a file sees to it that nobody makes it shorter, which would be a SIGBUS at the next read.
 */
static napi_value map_file(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int64_t fd;
  int64_t size;
  if (!arguments_read(env, info, "mapFile", 2, values) ||
      !argument_integer(env, values[0], "mapFile", "fd", 0, INT32_MAX, &fd) ||
      !argument_integer(env, values[1], "mapFile", "sizeBytes", 1, MAPPED_MAX_BYTES, &size)) {
    return NULL;
  }
  void *bytes = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE, (int)fd, 0);
  if (bytes == MAP_FAILED) return negative_errno(env, errno);
  napi_value buffer;
  if (napi_create_external_arraybuffer(env, bytes, (size_t)size, unmap, (void *)(uintptr_t)size, &buffer) != napi_ok) {
    munmap(bytes, (size_t)size);
    return negative_errno(env, ENOTSUP);
  }
  return buffer;
}

struct span {
  uintptr_t start;
  uintptr_t end;
};

struct unwritten {
  struct span spans[UNWRITTEN_MAX];
  size_t count;
};

/* Notes the segments of one program or library that the linker maps without write permission, where relocations do not touch them. */
static int note_unwritten(struct dl_phdr_info *program, size_t size, void *data) {
  (void)size;
  struct unwritten *unwritten = data;
  for (size_t i = 0; i < program->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &program->dlpi_phdr[i];
    if (part->p_type != PT_DYNAMIC) continue;
    const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(program->dlpi_addr + part->p_vaddr);
    for (; entry->d_tag != DT_NULL; entry++) {
      if (entry->d_tag == DT_TEXTREL) return 0;
    }
  }
  for (size_t i = 0; i < program->dlpi_phnum && unwritten->count < UNWRITTEN_MAX; i++) {
    const ElfW(Phdr) *part = &program->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || (part->p_flags & PF_W) != 0) continue;
    uintptr_t start = program->dlpi_addr + part->p_vaddr;
    unwritten->spans[unwritten->count++] = (struct span){start & ~UINT64_C(4095), (start + part->p_memsz + 4095) & ~UINT64_C(4095)};
  }
  return 0;
}

static bool is_unwritten(const struct unwritten *unwritten, uintptr_t start, uintptr_t end) {
  for (size_t i = 0; i < unwritten->count; i++) {
    if (start >= unwritten->spans[i].start && end <= unwritten->spans[i].end) return true;
  }
  return false;
}

/*
 * Takes the program's code and constants out of our page tables; what is used again comes back from the page cache. Only mappings of a
 * file that neither the linker nor we may write: with Node's --use-largepages the code is anonymous memory, which would be lost.
 */
static void forget_program(void) {
  static struct unwritten unwritten;
  unwritten.count = 0;
  dl_iterate_phdr(note_unwritten, &unwritten);
  FILE *maps = fopen("/proc/self/maps", "re");
  if (maps == NULL) return;
  char line[512];
  while (fgets(line, sizeof(line), maps) != NULL) {
    uintptr_t start;
    uintptr_t end;
    char rights[5];
    unsigned long inode;
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*x %*s %lu", &start, &end, rights, &inode) != 4) continue;
    if (inode == 0 || rights[1] == 'w' || rights[3] != 'p' || !is_unwritten(&unwritten, start, end)) continue;
    /* The address is the kernel's own word. It refuses for locked pages, which is as well. */
    madvise((void *)start, end - start, MADV_DONTNEED); /* NOLINT(performance-no-int-to-ptr) */
  }
  fclose(maps);
}

/* releaseMemory() → gives back what the addon and the allocator hold free, and the pages of code that are not in use. */
static napi_value release_memory(napi_env env, napi_callback_info info) {
  (void)info;
  blocks_drop_spares();
  malloc_trim(0);
  forget_program();
  return number_of(env, 0);
}

bool memory_register(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      FUNCTION("mapFile", map_file),
      FUNCTION("releaseMemory", release_memory),
  };
  return functions_register(env, exports, functions, sizeof(functions) / sizeof(functions[0]));
}
