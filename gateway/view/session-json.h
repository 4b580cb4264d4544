/* The sessions of a running attlsd as JSON. */
#ifndef ATTLSD_GATEWAY_VIEW_SESSION_JSON_H
#define ATTLSD_GATEWAY_VIEW_SESSION_JSON_H

#include <stdio.h>

#include "gateway/view/client-answers.h"
#include "gateway/view/json-write.h"

/* Write one of them, an object. */
void session_json_write(struct json_writer *to, const struct answers *answers,
			const struct answer_session *session);

/* Returns 0, or -1: the output failed. */
int client_json_sessions(const struct answers *answers, FILE *out);

#endif
