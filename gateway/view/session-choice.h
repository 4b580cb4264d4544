/*
 * Which sessions an operator chooses: the options of attlsctl and the query of /sessions have
 * the same keys, with the same values.
 */
#ifndef ATTLSD_GATEWAY_VIEW_SESSION_CHOICE_H
#define ATTLSD_GATEWAY_VIEW_SESSION_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/session-filter.h"

/*
 * Put a value into the filter. Keys: "user", "client", "rule", "listener", "backend" and "idle".
 * Returns NULL, or what the value has to be, as in "needs ...".
 */
const char *session_choice_set(struct session_filter *filter, const char *key, const char *value);

/* "90", "90s", "5m", "2h", "7d": from one second on. False: it is no time. */
bool session_choice_time(const char *text, uint32_t *ret_s);

#endif
