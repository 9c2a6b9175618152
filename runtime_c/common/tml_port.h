/* SPDX-License-Identifier: 0BSD */
/*
 * What the kernels ask of compiler and part. Architecture and compiler macros are tested in common/
 * only. Every macro below may be defined beforehand.
 */
#ifndef TML_PORT_H
#define TML_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__AVR__)
#    include <avr/pgmspace.h>
#endif

/* Changes when a kernel's signature, packing or params change; generated code checks it. */
#define TML_RUNTIME_VERSION 1

#if defined(__GNUC__)
#    define TML_GNU(...) __attribute__((__VA_ARGS__))
#else
#    define TML_GNU(...)
#endif

#if defined(__cplusplus)
#    define TML_RESTRICT __restrict
#else
#    define TML_RESTRICT restrict
#endif

/* Where hot code goes, such as a section in RAM. */
#ifndef TML_FAST_CODE
#    define TML_FAST_CODE
#endif

/* Where weights go. The kernels read them through tml_rom_*. */
#ifndef TML_WEIGHTS_ATTR
#    if defined(__AVR__)
#        define TML_WEIGHTS_ATTR __attribute__((__progmem__))
#    else
#        define TML_WEIGHTS_ATTR
#    endif
#endif

/* TML_INLINE_KERNELS: 1 inlines every kernel into its call, 0 keeps one copy, undefined lets the
 * compiler choose. */
#ifndef TML_KERNEL
#    if !defined(TML_INLINE_KERNELS)
#        define TML_KERNEL TML_FAST_CODE static TML_GNU(__unused__)
#    elif TML_INLINE_KERNELS
#        define TML_KERNEL static inline TML_GNU(__always_inline__)
#    else
#        define TML_KERNEL TML_FAST_CODE static TML_GNU(__noinline__, __unused__)
#    endif
#endif

/* A piece that several kernels share: one copy per model, its loops with all registers. */
#define TML_SHARED TML_FAST_CODE static TML_GNU(__noinline__, __unused__)

/* The hot loop of one kernel: inlined with it, so that literal shapes reach it, else kept apart for
 * the registers. */
#if defined(TML_INLINE_KERNELS) && TML_INLINE_KERNELS
#    define TML_LEAF static inline TML_GNU(__always_inline__, __unused__)
#else
#    define TML_LEAF TML_SHARED
#endif

/* A kernel, and its hot loop, of which a copy for literal shapes takes about as many bytes as a
 * call with parameters does: inlined unless one copy of each is wanted. */
#if defined(TML_INLINE_KERNELS) && !TML_INLINE_KERNELS
#    define TML_SMALL_KERNEL TML_KERNEL
#    define TML_SMALL_LEAF TML_SHARED
#else
#    define TML_SMALL_KERNEL static inline TML_GNU(__always_inline__)
#    define TML_SMALL_LEAF TML_INLINE
#endif

/* A few instructions, part of its caller. */
#define TML_INLINE static inline TML_GNU(__always_inline__, __unused__)

/* Ends every node of a model. Overhead and effect are nil unless somebody wants to watch. */
#ifndef TML_PROBE
#    if defined(TML_TRACE)
void tml_trace(int id, const void *data, size_t bytes);
#        define TML_PROBE(id, data, bytes) tml_trace((id), (data), (bytes))
#    else
#        define TML_PROBE(id, data, bytes) ((void)0)
#    endif
#endif

/* Parts with a handful of registers: blocks of 8 accumulators would live on the stack. */
#ifndef TML_HAVE_FEW_REGISTERS
#    if defined(__AVR__) || defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
#        define TML_HAVE_FEW_REGISTERS 1
#    else
#        define TML_HAVE_FEW_REGISTERS 0
#    endif
#endif

/*
 * No instruction; the four values are ready here and what follows stays behind. Ends a step of an
 * unrolled loop, so that the compiler does not hoist the loads of all steps and then spill.
 */
#ifndef TML_STEP_END
#    if defined(__GNUC__)
#        define TML_STEP_END(a, b, c, d) __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d))
#    else
#        define TML_STEP_END(a, b, c, d) ((void)0)
#    endif
#endif

/* Loads of constants: program memory on AVR, plain loads elsewhere. */
TML_INLINE int8_t tml_rom_i8(const int8_t *p)
{
#if defined(__AVR__)
    return (int8_t)pgm_read_byte(p);
#else
    return *p;
#endif
}

TML_INLINE uint8_t tml_rom_u8(const uint8_t *p)
{
#if defined(__AVR__)
    return pgm_read_byte(p);
#else
    return *p;
#endif
}

TML_INLINE int16_t tml_rom_i16(const int16_t *p)
{
#if defined(__AVR__)
    return (int16_t)pgm_read_word(p);
#else
    return *p;
#endif
}

TML_INLINE uint16_t tml_rom_u16(const uint16_t *p)
{
#if defined(__AVR__)
    return pgm_read_word(p);
#else
    return *p;
#endif
}

TML_INLINE int32_t tml_rom_i32(const int32_t *p)
{
#if defined(__AVR__)
    return (int32_t)pgm_read_dword(p);
#else
    return *p;
#endif
}

TML_INLINE uint32_t tml_rom_u32(const uint32_t *p)
{
#if defined(__AVR__)
    return pgm_read_dword(p);
#else
    return *p;
#endif
}

TML_INLINE float tml_rom_f32(const float *p)
{
#if defined(__AVR__)
    return pgm_read_float(p);
#else
    return *p;
#endif
}

TML_INLINE int64_t tml_rom_i64(const int64_t *p)
{
#if defined(__AVR__)
    int64_t value;
    memcpy_P(&value, p, sizeof value);
    return value;
#else
    return *p;
#endif
}

TML_INLINE uint64_t tml_rom_u64(const uint64_t *p)
{
#if defined(__AVR__)
    uint64_t value;
    memcpy_P(&value, p, sizeof value);
    return value;
#else
    return *p;
#endif
}

TML_INLINE double tml_rom_f64(const double *p)
{
#if defined(__AVR__)
    double value;
    memcpy_P(&value, p, sizeof value);
    return value;
#else
    return *p;
#endif
}

TML_INLINE bool tml_rom_bool(const bool *p)
{
#if defined(__AVR__)
    bool value;
    memcpy_P(&value, p, sizeof value);
    return value;
#else
    return *p;
#endif
}

/* What a constant of a model may be, too. */
#define TML_INFINITY_F32 ((float)(1.0F / 0.0F))
#define TML_NAN_F32 ((float)(0.0F / 0.0F))
#define TML_INFINITY_F64 ((double)(1.0 / 0.0))
#define TML_NAN_F64 ((double)(0.0 / 0.0))

/* memcpy and memset by name where the compiler knows them without string.h; a plain loop might
 * become a memmove. */
TML_INLINE void tml_copy(void *TML_RESTRICT dst, const void *TML_RESTRICT src, size_t bytes)
{
#if defined(__GNUC__)
    __builtin_memcpy(dst, src, bytes);
#else
    for (size_t i = 0U; i < bytes; i++) {
        ((uint8_t *)dst)[i] = ((const uint8_t *)src)[i];
    }
#endif
}

/* The same for a literal number of bytes: where words may lie anywhere, without a call. */
TML_INLINE void tml_copy_run(void *TML_RESTRICT dst, const void *TML_RESTRICT src, size_t bytes)
{
    uint8_t *to = (uint8_t *)dst;
    const uint8_t *from = (const uint8_t *)src;
#if defined(__ARM_FEATURE_UNALIGNED)
    for (size_t i = bytes / 32U; i > 0U; i--) {
        tml_copy(to, from, 32U);
        to += 32;
        from += 32;
    }
    bytes %= 32U;
#endif
    tml_copy(to, from, bytes);
}

TML_INLINE void tml_fill_i8(int8_t *dst, int8_t value, size_t n)
{
#if defined(__GNUC__)
    __builtin_memset(dst, value, n);
#else
    for (size_t i = 0U; i < n; i++) {
        dst[i] = value;
    }
#endif
}

/* Words at any address, in the part's own byte order. */
TML_INLINE uint16_t tml_load_u16(const void *p)
{
    uint16_t word;
    tml_copy(&word, p, sizeof word);
    return word;
}

TML_INLINE uint32_t tml_load_u32(const void *p)
{
    uint32_t word;
    tml_copy(&word, p, sizeof word);
    return word;
}

TML_INLINE void tml_store_u32(void *p, uint32_t word)
{
    tml_copy(p, &word, sizeof word);
}

#endif
