/* Health checks: /healthz and /readyz. */
#ifndef ATTLSD_GATEWAY_HTTP_HEALTH_H
#define ATTLSD_GATEWAY_HTTP_HEALTH_H

#include "gateway/http/request.h"

/* 200 if attlsd answers, 503 if it hangs: then a restart helps. */
void health_answer_alive(struct request *request, const struct asker_result *result);

/* 200 if attlsd takes new sessions; otherwise 503 and one word that says why not. */
void health_answer_ready(struct request *request, const struct asker_result *result);

#endif
