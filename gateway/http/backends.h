/* Which servers could be reached lately: from the counters of the last minutes, not of all time. */
#ifndef ATTLSD_GATEWAY_HTTP_BACKENDS_H
#define ATTLSD_GATEWAY_HTTP_BACKENDS_H

#include <jansson.h>
#include <stdint.h>

#include "gateway/view/metrics.h"

/* Samples that are kept. history.c takes one every ten seconds, so they are five minutes. */
#define BACKENDS_SAMPLES 30

struct backends_sample {
	uint64_t connected[COUNT_NAMES_OTHER], failures[COUNT_NAMES_OTHER];
};

/* All zero: nothing is known. */
struct backends {
	struct backends_sample samples[BACKENDS_SAMPLES];
	uint64_t failed_s[COUNT_NAMES_OTHER]; /* when the last failure was seen, since 1970; 0: none yet */
	size_t n;			      /* how many samples there are, */
	size_t next;			      /* and the place of the next */
	const char *addresses;		      /* as in struct http_setup; NULL: none are known */
};

/* Take a sample. now_s: seconds since 1970. */
void backends_sample(struct backends *backends, const struct metrics *metrics, uint64_t now_s);

/* NULL: no memory. */
json_t *backends_json(const struct backends *backends, const struct metrics *metrics);

#endif
