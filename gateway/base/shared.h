/*
 * Memory that a process shares with one of its children. Other children do not get
 * it: shared_lend() says around a fork() that this child does.
 */
#ifndef ATTLSD_GATEWAY_BASE_SHARED_H
#define ATTLSD_GATEWAY_BASE_SHARED_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed, in pages of its own. NULL: no memory. */
void *shared_map(size_t size);
/* NULL is fine. */
void shared_unmap(void *memory, size_t size);

/* May the next child have it? Returns 0 or a negative errno. */
int shared_lend(void *memory, size_t size, bool lend);

#endif
