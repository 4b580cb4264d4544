/* The trace of one session for `attlsctl top`, which comes back at a key. */
#ifndef ATTLSD_GATEWAY_CTL_TOP_TRACE_H
#define ATTLSD_GATEWAY_CTL_TOP_TRACE_H

#include <stdint.h>

#include "gateway/view/client-target.h"

/* Show the trace on the terminal that curses has left, until a key. Faults go to `error`, a descriptor. */
void top_trace(const struct target *target, uint64_t session, int error);

#endif
