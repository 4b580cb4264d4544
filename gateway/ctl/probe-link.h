/*
 * A blocking FTP client's control connection, in the clear or under TLS, for
 * programs that look at a server once. Every wait has a limit.
 */
#ifndef ATTLSD_GATEWAY_CTL_PROBE_LINK_H
#define ATTLSD_GATEWAY_CTL_PROBE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/base/loop.h"
#include "gateway/net/stream.h"
#include "policy/ip.h"

struct ssl_st;

#define PROBE_TEXT_MAX	160
#define PROBE_WINDOW	(FTP_REPLY_LINE_MAX + 2)
#define PROBE_LINES_MAX 64 /* of one reply; the lines after them are dropped */

/* One whole reply. Texts are safe to print: bytes that are not printable ASCII are '?'. */
struct probe_reply {
	uint16_t code; /* 0: none came, see probe_link.error */
	size_t nlines;
	char lines[PROBE_LINES_MAX][PROBE_TEXT_MAX]; /* without the code; cut off where there is no room */
};

struct probe_link {
	struct loop loop;
	struct stream stream;
	struct ftp_reply_parser parser;
	uint8_t window[PROBE_WINDOW];
	size_t len;
	char error[PROBE_TEXT_MAX]; /* why the last step failed */
};

/* Each returns true, or false and says in link->error why. */

/* Connect. Call probe_link_close() in any case; link must be zero before the first call. */
bool probe_link_dial(struct probe_link *link, const struct ip_endpoint *server);

/*
 * Make the TLS handshake with this client-side SSL, which is the link's from here on. It
 * fails if the server has sent bytes in the clear that nobody has read.
 */
bool probe_link_tls(struct probe_link *link, struct ssl_st *ssl);

/* Read one final reply; 1yz replies before it are dropped. */
bool probe_link_reply(struct probe_link *link, struct probe_reply *ret);

/* Send a command (without CRLF) and read its reply. */
bool probe_link_command(struct probe_link *link, const char *command, struct probe_reply *ret);

void probe_link_close(struct probe_link *link);

#endif
