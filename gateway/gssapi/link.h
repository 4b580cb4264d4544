/*
 * A worker's end of the socket to its acceptor, the process that holds the keytab; or the
 * keytab itself, where keys are not isolated.
 */
#ifndef ATTLSD_GATEWAY_GSSAPI_LINK_H
#define ATTLSD_GATEWAY_GSSAPI_LINK_H

#include "gateway/gssapi/acceptor.h"
#include "gateway/gssapi/request.h"

struct gssapi_link;

/* A socket pair: the worker's end, which waits for at most three seconds, and the acceptor's. */
int gssapi_link_pair(int fds[static 2]);

/*
 * fd: to an acceptor, borrowed. -1: use `acceptor`, which is the link's from here on, also
 * after a failure. Returns 0 or a negative errno.
 */
int gssapi_link_open(int fd, struct gssapi_acceptor *acceptor, struct gssapi_link **ret_link);
void gssapi_link_close(struct gssapi_link **link);

/*
 * Ask, and wait for the answer: for as long as that takes, which is less than a millisecond,
 * and three seconds if the acceptor is in trouble; then further requests fail at once for a
 * while. token: at most GSSAPI_TOKEN_MAX bytes. NULL: `ret_why` says why not. The
 * answer lives until the next call; it has keys of the session, see gssapi_link_forget().
 */
const struct gssapi_answer *gssapi_link_ask(struct gssapi_link *link, uint64_t half, const uint8_t *token,
					    size_t len, const char **ret_why);

/* Wipe the last answer. */
void gssapi_link_forget(struct gssapi_link *link);

#endif
