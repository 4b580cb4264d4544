/* What there is to ask for. */
#ifndef ATTLSD_GATEWAY_HTTP_ROUTES_H
#define ATTLSD_GATEWAY_HTTP_ROUTES_H

#include <stdbool.h>

#include "gateway/http/request.h"

struct route {
	const char *path;
	bool open;		  /* needs no token: it says nothing about anybody */
	enum ctl_proto_what what; /* to ask the monitor */
	/* Read the query; NULL: it has none. Returns NULL, or what is wrong with it. */
	const char *(*parse)(struct request *request);
	/* With a second question: keep the answer to the first; false: there is none. */
	enum ctl_proto_what then;
	bool (*begin)(struct request *request, const struct asker_result *result);
	/* Make the answer. */
	void (*answer)(struct request *request, const struct asker_result *result);
};

/* NULL: there is nothing at this path. */
const struct route *route_find(const char *path);

#endif
