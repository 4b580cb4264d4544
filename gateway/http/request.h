/* One request, from its headers to its answer. */
#ifndef ATTLSD_GATEWAY_HTTP_REQUEST_H
#define ATTLSD_GATEWAY_HTTP_REQUEST_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/session-filter.h"
#include "gateway/http/asker.h"
#include "gateway/http/text.h"

struct history;
struct route;

/* What all answers of the process have in common. */
struct bodies {
	size_t bytes; /* of answers that their readers have not taken yet */
};

struct request {
	struct MHD_Connection *connection;
	struct bodies *bodies;
	const struct route *route;
	struct asker_wait wait;
	bool again;   /* the first of two questions has been answered */
	json_t *kept; /* what its answer was; owned */
	const struct history *history;
	bool suspended;		     /* until the monitor has answered */
	struct MHD_Response *answer; /* NULL: not ready; owned */
	unsigned status;
	/* of the query */
	struct session_filter filter;
	unsigned sort;
	bool backwards; /* the other way round */
	size_t offset, limit;
};

/* Answer with this text, which is taken over. Without memory, answers 503. */
void request_answer(struct request *request, unsigned status, const char *type, struct text *text);
/* Answer with one line. */
void request_say(struct request *request, unsigned status, const char *line);
/* Answer with bytes that stay. */
void request_static(struct request *request, const char *type, const char *bytes, size_t len);

/* Add a header to the answer. */
void request_header(struct request *request, const char *name, const char *value);

/* A value of the query; NULL: it is not there. */
const char *request_query(const struct request *request, const char *key);

#endif
