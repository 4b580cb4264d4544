/* What confines the HTTP process. */
#ifndef ATTLSD_GATEWAY_HOST_HTTP_CALLS_H
#define ATTLSD_GATEWAY_HOST_HTTP_CALLS_H

/*
 * The HTTP process, once it has read its files and made its sockets: as sandbox_worker(), with
 * a filter of its own. `root` is an open, empty folder, or -1: not started as root. Returns 0
 * or a negative errno, *ret_what is the step that failed.
 */
int http_calls_sandbox(int root, unsigned uid, unsigned gid, const char **ret_what);

#endif
