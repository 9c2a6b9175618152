/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU plugin: counts instructions and modelled cycles of one function and its callees.
 *
 * Arguments: core=NAME, start=ADDRESS, out=FILE, mark=ADDRESS, and the cycle model's settings (see
 * `set_model`). Counting starts when the block at `start` runs and ends when its return address
 * does. Each call of the function at `mark` notes the counts so far; it is not counted itself. The
 * format of the file is described in counts.py. */
#include "translated.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_API_VERSION;
QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                           char **argv);

#define NOWHERE UINT64_MAX
#define MOST_MARKS 4096U
#define KNOWN_CORES (sizeof core_names / sizeof core_names[0])

struct mark {
    unsigned long long instructions;
    unsigned long long cycles;
};

/* QEMU's callbacks reach nothing else: the state of the one run that a process makes. */
static struct {
    enum core core;
    bool core_known;
    struct cost_params params;
    uint64_t start;
    uint64_t mark;
    char output[1024];

    struct translated *blocks;
    struct translated *previous;    /* counted before this one */
    struct translated *last;        /* executed before this one, counted or not */
    struct translated *cached_loop; /* whose LE is in the loop cache */
    bool inside;
    uint64_t stop;
    uint64_t entries;
    bool marking; /* inside the function at `mark` */
    uint64_t mark_stop;
    struct mark marks[MOST_MARKS];
    size_t mark_count;
} run = {
    .params = {.pipeline_refill = 2,
               .divide = 7,
               .multiply = 1,
               .mispredicted = 8,
               .m7_loads = 2,
               .loop_end_first = 4,
               .m55_scalar_overlap = false,
               .address_stall = true,
               .it_folds = true},
    .start = NOWHERE,
    .mark = NOWHERE,
    .stop = NOWHERE,
};

static void count_loop_end(struct translated *block, bool taken)
{
    if (taken && run.cached_loop != block) {
        block->extra_cycles += run.params.loop_end_first;
    }
    run.cached_loop = taken ? block : NULL;
}

static void count_prediction(struct translated *block, bool taken)
{
    bool predicted = block->predictor >= 2;
    if (predicted != taken) {
        block->extra_cycles += run.params.mispredicted;
    }
    if (taken && block->predictor < 3) {
        block->predictor++;
    } else if (!taken && block->predictor > 0) {
        block->predictor--;
    }
}

/* Whether a block's closing branch was taken shows in where execution went. */
static void resolve_branch(struct translated *block, uint64_t next_address)
{
    bool taken = next_address != block->end;
    block->taken += taken;
    if (block->branch == BR_LOOP_END) {
        count_loop_end(block, taken);
    } else if (block->cost.predicted) {
        count_prediction(block, taken);
    }
}

static void count_block(struct translated *block)
{
    block->executed++;
    run.previous = block;
}

/* The counts so far. Summed up here, so that nothing is added to what each block does. */
static void note_mark(void)
{
    struct mark now = {0, 0};
    for (const struct translated *block = run.blocks; block; block = block->next) {
        now.instructions += block->executed * block->length;
        now.cycles += translated_cycles(block);
    }
    if (run.mark_count < MOST_MARKS) {
        run.marks[run.mark_count++] = now;
    }
}

/* Whether a block belongs to a call of the mark, which begins or ends here. */
static bool is_of_mark(const struct translated *block)
{
    if (run.marking) {
        run.marking = block->address != run.mark_stop;
    } else if (block->address == run.mark) {
        note_mark();
        run.marking = true;
        run.mark_stop = run.last ? run.last->end : NOWHERE;
        run.previous = NULL;
    }
    return run.marking;
}

static void on_execution(unsigned vcpu, void *data)
{
    struct translated *block = data;
    (void)vcpu;
    if (run.inside && run.previous && run.previous->branch != BR_NONE) {
        resolve_branch(run.previous, block->address);
    }
    if (run.inside && block->address == run.stop) {
        run.inside = false;
        run.previous = NULL;
    } else if (run.inside) {
        if (!is_of_mark(block)) {
            count_block(block);
        }
    } else if (block->address == run.start) {
        run.inside = true;
        run.entries++;
        run.stop = run.last ? run.last->end : NOWHERE;
        count_block(block);
    }
    run.last = block;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    struct translated *block = translate(run.core, &run.params, tb);
    (void)id;
    block->next = run.blocks;
    run.blocks = block;
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_execution, QEMU_PLUGIN_CB_NO_REGS, block);
}

struct totals {
    unsigned long long instructions;
    unsigned long long cycles;
    unsigned long long taken;
    unsigned long long by_class[CLASS_COUNT];
};

static void write_block(FILE *file, const struct translated *block, struct totals *totals)
{
    unsigned long long executed = block->executed;
    unsigned long long instructions = executed * block->length;
    unsigned long long cycles = translated_cycles(block);
    for (unsigned i = 0; i < block->length; i++) {
        totals->by_class[block->classes[i]] += executed;
        if (block->encodings[i]) {
            fprintf(file, "U %08x %llu\n", (unsigned)block->encodings[i], executed);
        }
    }
    fprintf(file, "B %llx %llx %u %llu %llu %llu\n", (unsigned long long)block->address,
            (unsigned long long)block->end, block->length, executed, instructions, cycles);
    totals->instructions += instructions;
    totals->cycles += cycles;
    totals->taken += block->branch != BR_NONE ? block->taken : 0;
}

static void on_exit_of_qemu(qemu_plugin_id_t id, void *data)
{
    struct totals totals;
    FILE *file = fopen(run.output, "w");
    (void)id;
    (void)data;
    if (file == NULL) {
        perror("tml plugin: can't write the counts");
        return;
    }
    memset(&totals, 0, sizeof totals);
    for (const struct translated *block = run.blocks; block; block = block->next) {
        if (block->executed) {
            write_block(file, block, &totals);
        }
    }
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        if (totals.by_class[i]) {
            fprintf(file, "C %s %llu\n", class_name[i], totals.by_class[i]);
        }
    }
    for (size_t i = 0; i < run.mark_count; i++) {
        fprintf(file, "M %llu %llu\n", run.marks[i].instructions, run.marks[i].cycles);
    }
    fprintf(file, "T %llu %llu %llu %llu %d\n", totals.instructions, totals.cycles, totals.taken,
            (unsigned long long)run.entries, run.inside);
    fclose(file);
}

static bool set_core(const char *name)
{
    for (size_t i = 0; i < KNOWN_CORES; i++) {
        if (strcmp(name, core_names[i].name) == 0) {
            run.core = core_names[i].core;
            run.core_known = true;
        }
    }
    if (run.core_known && run.core == CORE_E31) {
        run.params.mispredicted = 3;
    }
    return run.core_known;
}

static bool set_model(const char *key, const char *value)
{
    struct cost_params *params = &run.params;
    unsigned *const numbers[] = {&params->pipeline_refill, &params->divide,
                                 &params->multiply,        &params->mispredicted,
                                 &params->m7_loads,        &params->loop_end_first};
    static const char *const number_keys[] = {"P", "div", "mul", "mispred", "m7loads", "le"};
    bool *const switches[] = {&params->m55_scalar_overlap, &params->address_stall,
                              &params->it_folds};
    static const char *const switch_keys[] = {"m55so", "agu", "itfold"};
    for (size_t i = 0; i < sizeof number_keys / sizeof number_keys[0]; i++) {
        if (strcmp(key, number_keys[i]) == 0) {
            *numbers[i] = (unsigned)strtoul(value, NULL, 0);
            return true;
        }
    }
    for (size_t i = 0; i < sizeof switch_keys / sizeof switch_keys[0]; i++) {
        if (strcmp(key, switch_keys[i]) == 0) {
            *switches[i] = strtoul(value, NULL, 0) != 0;
            return true;
        }
    }
    return false;
}

static bool set_argument(const char *key, const char *value)
{
    if (strcmp(key, "core") == 0) {
        return set_core(value);
    }
    if (strcmp(key, "start") == 0) {
        run.start = strtoull(value, NULL, 0) & ~1ULL;
        return true;
    }
    if (strcmp(key, "mark") == 0) {
        run.mark = strtoull(value, NULL, 0) & ~1ULL;
        return true;
    }
    if (strcmp(key, "out") == 0) {
        snprintf(run.output, sizeof run.output, "%s", value);
        return true;
    }
    return set_model(key, value);
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (equals != NULL) {
            *equals = '\0';
        }
        if (equals == NULL || !set_argument(argv[i], equals + 1)) {
            fprintf(stderr, "tml plugin: unknown argument %s=%s\n", argv[i],
                    equals ? equals + 1 : "");
            return 1;
        }
    }
    if (!run.core_known) {
        fprintf(stderr, "tml plugin: no core given\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
    return 0;
}
