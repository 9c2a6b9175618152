/* SPDX-License-Identifier: 0BSD */
/* Finite float16 constants as float32, which holds them all. */
#ifndef TML_ROM_HALF_H
#define TML_ROM_HALF_H

#include "tml_half.h"

/* All FPUs of M-profile cores have vcvtb. */
#ifndef TML_HAVE_HALF_CONVERSION
#    if defined(__GNUC__) && defined(__ARM_FP) && defined(__ARM_ARCH_PROFILE) &&                   \
        __ARM_ARCH_PROFILE == 'M'
#        define TML_HAVE_HALF_CONVERSION 1
#    else
#        define TML_HAVE_HALF_CONVERSION 0
#    endif
#endif

TML_INLINE float tml_rom_f16(const uint16_t *p)
{
#if TML_HAVE_HALF_CONVERSION
    float v;
    __asm__("vmov %0, %1\n\tvcvtb.f32.f16 %0, %0" : "=t"(v) : "r"((uint32_t)tml_rom_u16(p)));
    return v;
#else
    return tml_f16_to_f32(tml_rom_u16(p));
#endif
}

#endif
