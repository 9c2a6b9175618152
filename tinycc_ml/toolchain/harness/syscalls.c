/* SPDX-License-Identifier: Apache-2.0 */
/* What newlib and picolibc need for printf and malloc; dropped by the linker when unused. */
#include <errno.h>
#include <sys/stat.h>

#include "tml_bench.h"

extern char __heap_start[], __heap_end[];

void *_sbrk(ptrdiff_t bytes);
void *sbrk(ptrdiff_t bytes);
int _write(int file, const char *text, int length);
int _read(int file, char *text, int length);
int _close(int file);
int _lseek(int file, int offset, int whence);
int _fstat(int file, struct stat *status);

void *_sbrk(ptrdiff_t bytes)
{
    static char *end = __heap_start;
    if (bytes > __heap_end - end) {
        errno = ENOMEM;
        return (void *)-1;
    }
    char *start = end;
    end += bytes;
    return start;
}

void *sbrk(ptrdiff_t bytes)
{
    return _sbrk(bytes);
}

int _write(int file, const char *text, int length)
{
    (void)file;
    tml_write(text, (size_t)length);
    return length;
}

int _read(int file, char *text, int length)
{
    (void)file;
    (void)text;
    (void)length;
    return 0;
}

int _close(int file)
{
    (void)file;
    return -1;
}

int _lseek(int file, int offset, int whence)
{
    (void)file;
    (void)offset;
    (void)whence;
    return 0;
}

int _fstat(int file, struct stat *status)
{
    (void)file;
    status->st_mode = S_IFCHR;
    return 0;
}
