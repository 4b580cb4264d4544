/*
 * What the signer of one worker has done, in memory that it shares with the monitor
 * and with nobody else.
 */
#ifndef ATTLSD_GATEWAY_KEY_COUNTS_H
#define ATTLSD_GATEWAY_KEY_COUNTS_H

#include <stdint.h>

struct key_counts {
	_Atomic uint64_t signatures;
	_Atomic uint64_t refused; /* the worker has asked for what it may not have */
	_Atomic uint64_t failed;  /* the key, or its token, did not work */
	_Atomic int32_t worker;	  /* its pid, for the log; the monitor writes it */
	/* Of quota.h. The signers of a worker, one after the other, go on with these. */
	uint64_t quota_second; /* the running one */
	uint32_t quota_used;   /* in it */
};

#endif
