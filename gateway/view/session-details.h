/* All that is known of one session, as lines for people. */
#ifndef ATTLSD_GATEWAY_VIEW_SESSION_DETAILS_H
#define ATTLSD_GATEWAY_VIEW_SESSION_DETAILS_H

#include "gateway/base/ctl-proto.h"

/* Gets one line: a label, and a text that is escaped. */
typedef void session_line_fn(void *context, const char *label, const char *text);

void session_details(const struct answer_session *session, session_line_fn *line, void *context);

#endif
