/* What Prometheus asks for: /metrics. */
#ifndef ATTLSD_GATEWAY_HTTP_SCRAPE_H
#define ATTLSD_GATEWAY_HTTP_SCRAPE_H

#include <stdbool.h>

#include "gateway/http/request.h"

/* Does this value of Accept (NULL: none) prefer OpenMetrics 1.0 to the older format? */
bool scrape_prefers_openmetrics(const char *accept);

void scrape_answer(struct request *request, const struct asker_result *result);

#endif
