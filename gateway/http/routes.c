/* The table of paths, except those of the page's files. */
#include "gateway/http/routes.h"

#include <string.h>

#include "gateway/base/util.h"
#include "gateway/http/health.h"
#include "gateway/http/overview.h"
#include "gateway/http/scrape.h"
#include "gateway/http/sessions.h"

static const struct route routes[] = {
	{ .path = "/healthz", .open = true, .what = CTL_STATUS, .answer = health_answer_alive },
	{ .path = "/readyz", .open = true, .what = CTL_STATUS, .answer = health_answer_ready },
	{ .path = "/metrics", .what = CTL_METRICS, .answer = scrape_answer },
	{ .path = "/overview",
	  .what = CTL_EVENTS,
	  .then = CTL_METRICS,
	  .begin = overview_begin,
	  .answer = overview_answer },
	{ .path = "/sessions", .what = CTL_SESSIONS, .parse = sessions_parse, .answer = sessions_answer },
};

const struct route *route_find(const char *path)
{
	for (size_t i = 0; i < NELEM(routes); i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}
