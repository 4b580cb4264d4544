/* `attlsctl top`: the sessions, live. */
#ifndef ATTLSD_GATEWAY_CTL_TOP_H
#define ATTLSD_GATEWAY_CTL_TOP_H

#include "gateway/base/session-filter.h"
#include "gateway/view/client-target.h"

/* Runs until the operator ends it. Returns the exit status, after printing what went wrong. */
int top_run(const struct target *target, const struct session_filter *filter);

#endif
