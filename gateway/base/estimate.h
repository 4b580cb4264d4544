/*
 * How far a transfer has come, and how long the rest will take: the arithmetic that the log and
 * attlsctl share. A worker or a server may lie about each number, so none is trusted.
 */
#ifndef ATTLSD_GATEWAY_BASE_ESTIMATE_H
#define ATTLSD_GATEWAY_BASE_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

/* 0 to 100, and 100 only if all bytes are there. -1: there are more bytes than the size says. */
static inline int estimate_percent(uint64_t bytes, uint64_t size)
{
	if (bytes > size)
		return -1;
	if (bytes == size)
		return 100;
	/* the double may round up to the next whole number */
	return (int)((double)bytes / (double)size * 100) % 100;
}

/* How long the transfer will take at this rate, in bytes a second. False: that is no estimate. */
static inline bool estimate_left(uint64_t bytes, uint64_t size, uint64_t rate, uint64_t *ret_ms)
{
	double ms;

	if (bytes > size || rate == 0)
		return false;
	ms = (double)(size - bytes) * 1000 / (double)rate;
	if (ms > (double)UINT32_MAX * 1000)
		return false;
	*ret_ms = (uint64_t)ms;
	return true;
}

#endif
