/* SPDX-License-Identifier: Apache-2.0 */
/* Runs an AVR program in simavr; counts instructions and cycles between the call of a function and
 * its return, the lowest stack pointer in between, and a profile by address.
 *
 * Arguments: ELF file, MCU, address of the function, file for the counts (format: counts.py), and
 * mark=ADDRESS: each call of the function there notes the counts so far and is not counted itself.
 * Exit code: what the program wrote to GPIOR1; 2 unusable arguments, 97 the core stopped. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_io.h>

#define WORDS 65536U
#define MOST_MARKS 4096U
#define NOWHERE UINT32_MAX
#define STOPPED 97
#define BAD_ARGUMENTS 2
/* where start_avr.c writes: the same addresses on all megaAVR parts */
#define GPIOR0_ADDRESS 0x3e
#define GPIOR1_ADDRESS 0x4a

struct exit_state {
    bool done;
    int code;
};

struct mark {
    uint64_t instructions;
    uint64_t cycles;
    unsigned stack_bytes;
};

struct meter {
    uint32_t start;
    uint32_t mark;
    uint32_t return_address;
    bool inside;
    unsigned stack_at_entry;
    unsigned lowest_inside;
    unsigned lowest;
    uint64_t entries;
    uint64_t instructions;
    uint64_t cycles;
    uint64_t cycles_at_entry;
    uint64_t word_count[WORDS];
    uint64_t word_cycles[WORDS];
    bool marking; /* inside the function at `mark` */
    uint32_t mark_return;
    uint64_t cycles_of_mark;
    unsigned lowest_since_mark;
    size_t mark_count;
    struct mark marks[MOST_MARKS];
};

static void on_character(avr_t *avr, avr_io_addr_t address, uint8_t value, void *param)
{
    (void)avr;
    (void)address;
    (void)param;
    putchar(value);
}

static void on_exit_code(avr_t *avr, avr_io_addr_t address, uint8_t value, void *param)
{
    struct exit_state *state = param;
    (void)avr;
    (void)address;
    state->done = true;
    state->code = value;
}

static void log_errors_only(avr_t *avr, const int level, const char *format, va_list arguments)
{
    (void)avr;
    if (level <= LOG_ERROR) {
        vfprintf(stderr, format, arguments);
    }
}

static unsigned stack_pointer(const avr_t *avr)
{
    return avr->data[R_SPL] | (unsigned)avr->data[R_SPH] << 8;
}

/* CALL pushes the address in words, its most significant byte at the lowest address. */
static uint32_t pushed_return_address(const avr_t *avr, unsigned sp)
{
    uint32_t words = 0;
    for (unsigned i = 1; i <= avr->address_size; i++) {
        words = words << 8 | avr->data[sp + i];
    }
    return words * 2U;
}

/* Before an instruction: does it begin the measured call, or is it the one returned to? */
static void track_call(struct meter *meter, const avr_t *avr)
{
    unsigned sp = stack_pointer(avr);
    if (!meter->inside && avr->pc == meter->start) {
        meter->inside = true;
        meter->entries++;
        meter->stack_at_entry = sp;
        meter->lowest_inside = sp < meter->lowest_inside ? sp : meter->lowest_inside;
        meter->cycles_at_entry = avr->cycle;
        meter->cycles_of_mark = 0;
        meter->lowest_since_mark = sp;
        meter->return_address = pushed_return_address(avr, sp);
    } else if (meter->inside && avr->pc == meter->return_address && sp >= meter->stack_at_entry) {
        meter->inside = false;
        meter->cycles += avr->cycle - meter->cycles_at_entry - meter->cycles_of_mark;
    }
}

static void note_mark(struct meter *meter, const avr_t *avr)
{
    unsigned top = meter->stack_at_entry + avr->address_size;
    uint64_t cycles = avr->cycle - meter->cycles_at_entry - meter->cycles_of_mark;
    if (meter->mark_count < MOST_MARKS) {
        meter->marks[meter->mark_count++] = (struct mark){
            meter->instructions, meter->cycles + cycles, top - meter->lowest_since_mark};
    }
    meter->lowest_since_mark = stack_pointer(avr);
}

/* Before an instruction: does it begin a call of the mark, or is it the one returned to? */
static void track_mark(struct meter *meter, const avr_t *avr)
{
    if (meter->marking) {
        meter->marking = avr->pc != meter->mark_return;
    } else if (meter->inside && avr->pc == meter->mark) {
        note_mark(meter, avr);
        meter->marking = true;
        meter->mark_return = pushed_return_address(avr, stack_pointer(avr));
    }
}

static void count_instruction(struct meter *meter, uint32_t word, uint64_t cycles, unsigned sp)
{
    if (meter->marking) {
        meter->cycles_of_mark += cycles;
        return;
    }
    meter->instructions++;
    meter->word_count[word % WORDS]++;
    meter->word_cycles[word % WORDS] += cycles;
    meter->lowest_inside = sp < meter->lowest_inside ? sp : meter->lowest_inside;
    meter->lowest_since_mark = sp < meter->lowest_since_mark ? sp : meter->lowest_since_mark;
}

static int step(struct meter *meter, avr_t *avr)
{
    track_call(meter, avr);
    track_mark(meter, avr);
    uint32_t word = avr->pc >> 1;
    uint64_t before = avr->cycle;
    int state = avr_run(avr);
    unsigned sp = stack_pointer(avr);
    /* until the start-up code has set it, the stack pointer is 0 */
    if (sp >= avr->ioend && sp < meter->lowest) {
        meter->lowest = sp;
    }
    if (meter->inside) {
        count_instruction(meter, word, avr->cycle - before, sp);
    }
    return state;
}

static int run(struct meter *meter, avr_t *avr, const struct exit_state *exit_state)
{
    while (!exit_state->done) {
        int state = step(meter, avr);
        if (state == cpu_Done || state == cpu_Crashed) {
            fprintf(stderr, "simavr stopped at 0x%x, state %d\n", (unsigned)avr->pc, state);
            return STOPPED;
        }
    }
    return exit_state->code;
}

static void write_counts(FILE *file, const struct meter *meter, unsigned address_size)
{
    for (uint32_t word = 0; word < WORDS; word++) {
        unsigned long long count = meter->word_count[word];
        if (count != 0) {
            fprintf(file, "B %x %x 1 %llu %llu %llu\n", word * 2, word * 2 + 2, count, count,
                    (unsigned long long)meter->word_cycles[word]);
        }
    }
    for (size_t i = 0; i < meter->mark_count; i++) {
        const struct mark *mark = &meter->marks[i];
        fprintf(file, "M %llu %llu %u\n", (unsigned long long)mark->instructions,
                (unsigned long long)mark->cycles, mark->stack_bytes);
    }
    fprintf(file, "T %llu %llu 0 %llu %d\n", (unsigned long long)meter->instructions,
            (unsigned long long)meter->cycles, (unsigned long long)meter->entries, meter->inside);
    /* the return address belongs to the call */
    unsigned stack =
        meter->entries ? meter->stack_at_entry + address_size - meter->lowest_inside : 0;
    fprintf(file, "S %u %u\n", stack, meter->lowest);
}

static avr_t *load(const char *elf, const char *mcu, struct exit_state *exit_state)
{
    elf_firmware_t firmware;
    memset(&firmware, 0, sizeof firmware);
    avr_t *avr = avr_make_mcu_by_name(mcu);
    if (avr == NULL || elf_read_firmware(elf, &firmware) != 0) {
        fprintf(stderr, "cannot run %s on %s\n", elf, mcu);
        return NULL;
    }
    avr_init(avr);
    firmware.frequency = 16000000;
    avr_load_firmware(avr, &firmware);
    avr_register_io_write(avr, GPIOR0_ADDRESS, on_character, NULL);
    avr_register_io_write(avr, GPIOR1_ADDRESS, on_exit_code, exit_state);
    return avr;
}

int main(int argc, char **argv)
{
    static struct meter meter = {.mark = NOWHERE, .lowest_inside = 0xffff, .lowest = 0xffff};
    struct exit_state exit_state = {false, 0};
    bool marked = argc == 6 && strncmp(argv[5], "mark=", 5) == 0;
    if (argc != 5 && !marked) {
        fprintf(stderr, "usage: runner ELF MCU ADDRESS COUNTS [mark=ADDRESS]\n");
        return BAD_ARGUMENTS;
    }
    avr_global_logger_set(log_errors_only);
    avr_t *avr = load(argv[1], argv[2], &exit_state);
    if (avr == NULL) {
        return BAD_ARGUMENTS;
    }
    meter.start = (uint32_t)strtoul(argv[3], NULL, 0);
    meter.mark = marked ? (uint32_t)strtoul(argv[5] + 5, NULL, 0) : NOWHERE;
    int code = run(&meter, avr, &exit_state);
    fflush(stdout);
    FILE *file = fopen(argv[4], "w");
    if (file == NULL) {
        perror(argv[4]);
        return BAD_ARGUMENTS;
    }
    write_counts(file, &meter, avr->address_size);
    fclose(file);
    return code;
}
