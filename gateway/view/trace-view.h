/* `attlsctl trace`: follows the trace of a running attlsd, or shows what it has kept of it. */
#ifndef ATTLSD_GATEWAY_VIEW_TRACE_VIEW_H
#define ATTLSD_GATEWAY_VIEW_TRACE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/session-filter.h"
#include "gateway/view/client-target.h"

struct trace_options {
	struct session_filter filter;
	bool data;
	bool json;
	uint32_t last; /* 0: follow */
};

/* Print to stdout, until the session (if the filter names one) or attlsd ends. Returns 0 or -1. */
int trace_view(const struct target *target, const struct trace_options *options);

#endif
