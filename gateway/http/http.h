/* The HTTP process. */
#ifndef ATTLSD_GATEWAY_HTTP_HTTP_H
#define ATTLSD_GATEWAY_HTTP_HTTP_H

#include "gateway/base/http-setup.h"

/* Serve until the monitor hangs up. Returns the exit status. */
int http_run(const struct http_setup *setup);

#endif
