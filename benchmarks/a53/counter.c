/* Counts the guest's instructions, for QEMU 10's user-mode emulation of aarch64.
 *
 *     qemu-aarch64 -plugin counter.so,out=FILE PROGRAM
 *
 * The guest marks a moment with getpgid(424240 + K), which fails and does nothing. For each mark FILE gets a line: K, and
 * how many instructions were executed until then: all, those of SIMD and floating point, loads and stores, branches.
 */
#include <stdio.h>
#include <string.h>
#include <qemu-plugin.h>

enum { GETPGID = 155, FIRST_MARK = 424240, MARKS = 100 };
enum { ALL, SIMD, MEMORY, BRANCH, KINDS };

typedef struct { uint64_t executed[KINDS]; } Counts;

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static struct qemu_plugin_scoreboard *board;
static qemu_plugin_u64 counter[KINDS];
static FILE *out;

/* The main encoding group of an A64 instruction is in its bits 25 to 28. */
static int kind(uint32_t word)
{
    unsigned group = word >> 25 & 15;
    if ((group & 5) == 4) return MEMORY;
    if ((group & 7) == 7) return SIMD;
    if ((group & 14) == 10) return BRANCH;
    return ALL;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    uint64_t found[KINDS] = {0};
    size_t length = qemu_plugin_tb_n_insns(block);
    for (size_t i = 0; i < length; i++) {
        uint32_t word = 0;
        qemu_plugin_insn_data(qemu_plugin_tb_get_insn(block, i), &word, sizeof word);
        int it = kind(word);
        found[ALL]++;
        if (it != ALL) found[it]++;
    }
    for (int it = 0; it < KINDS; it++)
        if (found[it])
            qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(block, QEMU_PLUGIN_INLINE_ADD_U64, counter[it], found[it]);
}

static void called(qemu_plugin_id_t id, unsigned int vcpu, int64_t number, uint64_t first, uint64_t a2, uint64_t a3,
                   uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    if (number != GETPGID || first < FIRST_MARK || first >= FIRST_MARK + MARKS) return;
    fprintf(out, "%d", (int)(first - FIRST_MARK));
    for (int it = 0; it < KINDS; it++) fprintf(out, " %" PRIu64, qemu_plugin_u64_sum(counter[it]));
    fputc('\n', out);
}

static void ended(qemu_plugin_id_t id, void *nothing)
{
    fclose(out);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (!strncmp(argv[i], "out=", 4)) out = fopen(argv[i] + 4, "w");
    if (!out) {
        fputs("counter: out=FILE is needed, and FILE must be writable\n", stderr);
        return -1;
    }
    board = qemu_plugin_scoreboard_new(sizeof(Counts));
    for (int it = 0; it < KINDS; it++) {
        counter[it].score = board;
        counter[it].offset = offsetof(Counts, executed) + it * sizeof(uint64_t);
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
