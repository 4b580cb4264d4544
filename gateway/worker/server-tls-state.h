/*
 * TLS toward the server of one session, which exists only where policy wants it.
 * server-tls.c and data-server-tls.c write it; its server's name is decided when
 * it is dialled.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SERVER_TLS_STATE_H
#define ATTLSD_GATEWAY_WORKER_SERVER_TLS_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/tls/identity.h"
#include "gateway/tls/tlsctx-client.h"
#include "gateway/tls/tlsctx-follow.h"
#include "policy/ip.h"

/* Of the command that waits until the server has left TLS: an own one of the machine's. */
#define SERVER_TLS_HELD_MAX 32

struct server_tls {
	const struct tlsctx_client *ctx;
	const char *host;	       /* whom the certificate must name */
	char address[IP_TEXT_MAX];     /* it, where policy has no name */
	struct identity shown;	       /* the server's certificate; present once TLS is up */
	struct tlsctx_follow sessions; /* for data connections */
	bool greeted;		       /* the handshake comes after the greeting */
	bool failed;		       /* `failure` is for the machine, once the client can be told */
	enum ftp_signal failure;
	bool holding; /* CCC: commands wait for the server's last record under TLS */
	char held[SERVER_TLS_HELD_MAX];
	size_t held_len;
};

#endif
