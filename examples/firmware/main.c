/* SPDX-License-Identifier: 0BSD */
/*
 * A firmware's main loop around a net: a picture comes in, the class goes out. Replace camera_read and
 * led_show by your board's; the rest is all there is to calling a net.
 */
#include "digits_cnn.h"

#include <stdio.h>

/* Below this probability nothing is shown: 0.75 as the output's integer, found at compile time. */
#define THRESHOLD ((int)(0.75F / DIGITS_CNN_OUTPUT_SCALE + 0.5F) + DIGITS_CNN_OUTPUT_ZERO_POINT)
#define PICTURES 2

static digits_cnn_arena_t arena;

/* A zero and a one, 8 x 8 pixels of 0..16. */
static const char *const pictures[PICTURES] = {
    "...##...|..####..|..#..#..|..#..#..|..#..#..|..#..#..|..####..|...##...",
    "...##...|...###..|...##...|..###...|...##...|...##...|...##...|...##...",
};

static void camera_read(int picture, uint8_t pixels[DIGITS_CNN_INPUT_LEN])
{
    const char *p = pictures[picture];
    for (int i = 0; i < DIGITS_CNN_INPUT_LEN; i++) {
        if (*p == '|') {
            p++;
        }
        pixels[i] = *p == '#' ? 16 : 0;
        p++;
    }
}

static void led_show(int class, int score)
{
    if (score < THRESHOLD) {
        printf("unsure (%d)\n", class);
    } else {
        printf("%d\n", class);
    }
}

int main(void)
{
    static uint8_t pixels[DIGITS_CNN_INPUT_LEN];
    static int8_t scores[DIGITS_CNN_OUTPUT_LEN];
    for (int picture = 0; picture < PICTURES; picture++) {
        camera_read(picture, pixels);
        digits_cnn_run(&arena, pixels, scores);
        int best = 0;
        for (int i = 1; i < DIGITS_CNN_OUTPUT_LEN; i++) {
            if (scores[i] > scores[best]) {
                best = i;
            }
        }
        led_show(best, scores[best]);
    }
    return 0;
}
