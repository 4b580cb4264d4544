/* The sessions of a running attlsd as JSON. */
#ifndef ATTLSD_GATEWAY_VIEW_SESSION_JSON_H
#define ATTLSD_GATEWAY_VIEW_SESSION_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "gateway/view/client-answers.h"

/* One of them: a new object, or NULL: no memory. */
json_t *client_json_session(const struct answers *answers, const struct answer_session *session);

/* Returns 0, or -1: no memory, or the output failed. */
int client_json_sessions(const struct answers *answers, FILE *out);

#endif
