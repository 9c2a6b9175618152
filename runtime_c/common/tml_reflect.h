/* SPDX-License-Identifier: 0BSD */
/* A place on an axis, mirrored at both borders until it lies between them: low < high. */
#ifndef TML_REFLECT_H
#define TML_REFLECT_H

#include "tml_math.h"

#include "tml_port.h"

TML_INLINE double tml_reflect_f64(double at, double low, double high)
{
    double away = at < low ? low - at : (at > high ? at - high : 0.0);
    double span = high - low;
    if (!(away > 0.0) || !(span > 0.0)) {
        return at < low ? low : (at > high ? high : at);
    }
    double turns = floor(away / span);
    double rest = away - turns * span;
    bool mirrored = floor(turns / 2.0) * 2.0 < turns;
    return (at < low) != mirrored ? low + rest : high - rest;
}

TML_INLINE float tml_reflect_f32(float at, float low, float high)
{
    float away = at < low ? low - at : (at > high ? at - high : 0.0F);
    float span = high - low;
    if (!(away > 0.0F) || !(span > 0.0F)) {
        return at < low ? low : (at > high ? high : at);
    }
    float turns = floorf(away / span);
    float rest = away - turns * span;
    bool mirrored = floorf(turns / 2.0F) * 2.0F < turns;
    return (at < low) != mirrored ? low + rest : high - rest;
}

#endif
