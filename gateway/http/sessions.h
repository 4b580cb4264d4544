/* The list of sessions: /sessions. */
#ifndef ATTLSD_GATEWAY_HTTP_SESSIONS_H
#define ATTLSD_GATEWAY_HTTP_SESSIONS_H

#include "gateway/http/request.h"

/*
 * The query: user, client, rule, listener, backend, transfers=1, idle=SECONDS choose as the
 * options of `attlsctl sessions` do; sort, limit and offset choose from what is left.
 */
const char *sessions_parse(struct request *request);

void sessions_answer(struct request *request, const struct asker_result *result);

#endif
