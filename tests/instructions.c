/* A plugin of qemu-user 7.2 or newer: counts instructions, and writes the count to a file when getppid is called.
   cc -O2 -shared -fPIC -o instructions.so instructions.c; qemu-x86_64 -plugin file=instructions.so,out=FILE …
   What it calls is declared here, as Debian ships no qemu-plugin.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct qemu_plugin_tb;
typedef uint64_t u64;
void qemu_plugin_register_vcpu_tb_trans_cb(u64, void (*)(u64, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int, void *, u64);
void qemu_plugin_register_vcpu_syscall_cb(
    u64, void (*)(u64, unsigned, int64_t, u64, u64, u64, u64, u64, u64, u64, u64));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);

int qemu_plugin_version = 1;
enum { ADD = 0, GETPPID = 110 };
static u64 count;
static FILE *out;

static void translated(u64 id, struct qemu_plugin_tb *block) {
    qemu_plugin_register_vcpu_tb_exec_inline(block, ADD, &count, qemu_plugin_tb_n_insns(block));
}

static void called(u64 id, unsigned cpu, int64_t number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g, u64 h) {
    if (number != GETPPID) return;
    rewind(out);
    fprintf(out, "%020" PRIu64, count);
    fflush(out);
}

int qemu_plugin_install(u64 id, const void *about, int count_of_words, char **words) {
    out = count_of_words ? fopen(strchr(words[0], '=') + 1, "w") : NULL;
    if (!out) return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
