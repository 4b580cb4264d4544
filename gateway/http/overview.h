/* What the page shows besides sessions: /overview. */
#ifndef ATTLSD_GATEWAY_HTTP_OVERVIEW_H
#define ATTLSD_GATEWAY_HTTP_OVERVIEW_H

#include "gateway/http/request.h"

/* The first half, from the state of attlsd and its events. Returns false if there is no answer. */
bool overview_begin(struct request *request, const struct asker_result *result);

/* The second half, from its counters. */
void overview_answer(struct request *request, const struct asker_result *result);

#endif
