/*
 * Names in a choice of sessions that no policy of the attlsd that runs has had, most of them typing errors.
 */
#ifndef ATTLSD_GATEWAY_CTL_FILTER_NAMES_H
#define ATTLSD_GATEWAY_CTL_FILTER_NAMES_H

#include "gateway/base/session-filter.h"
#include "gateway/view/client-target.h"

/*
 * Does attlsd know the rule, listener and backend of this filter? Names of earlier policies count, since
 * their sessions go on. Returns 0, also if it cannot be known, or -1 after printing which one is wrong and
 * which exist.
 */
int filter_names_check(const struct target *target, const struct session_filter *filter);

#endif
