/* SPDX-License-Identifier: 0BSD */
/* expf and floor, also with a compiler that comes without math.h. */
#ifndef TML_MATH_H
#define TML_MATH_H

#if defined(__has_include)
#    if __has_include(<math.h>)
#        include <math.h>
#    else
float expf(float x);
double floor(double x);
float floorf(float x);
#    endif
#else
#    include <math.h>
#endif

#endif
