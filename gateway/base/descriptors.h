/*
 * What a forked process keeps of the open files of its parent.
 */
#ifndef ATTLSD_GATEWAY_BASE_DESCRIPTORS_H
#define ATTLSD_GATEWAY_BASE_DESCRIPTORS_H

#include <stddef.h>

/* The first one after stdin, stdout and stderr. */
#define DESCRIPTORS_FIRST 3

/*
 * Keep stdin, stdout, stderr and these, which get the numbers from DESCRIPTORS_FIRST
 * on, in this order; -1 leaves its number closed. All others are closed, and the log
 * is opened anew. Returns 0 or a negative errno: the process should end.
 */
int descriptors_keep(const int *fds, size_t n);

#endif
