/*
 * Looks at an FTP server that may speak TLS, as a client would before it logs in: how
 * TLS begins, who the server is, whether it resumes sessions, and what it offers.
 */
#ifndef ATTLSD_GATEWAY_CTL_PROBE_H
#define ATTLSD_GATEWAY_CTL_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/ctl/probe-link.h"
#include "gateway/tls/identity.h"
#include "gateway/tls/tlsctx-client.h"
#include "policy/ftp-action.h"
#include "policy/ip.h"

/* What is asked. */
struct probe_target {
	struct ip_endpoint server;
	const char *host; /* what its certificate must name, and SNI */
	enum secure_mechanism mechanism;
	bool any_mechanism;		    /* AUTH TLS, then AUTH SSL */
	const struct tlsctx_client *client; /* what it must show; NULL: begin no handshake */
};

/* What FEAT names, when it answers before a login. */
enum probe_feature {
	PROBE_EPSV = 1 << 0,
	PROBE_PASV = 1 << 1,
	PROBE_CCC = 1 << 2,
	PROBE_MLSD = 1 << 3,
	PROBE_PROT = 1 << 4,
	PROBE_UTF8 = 1 << 5,
};

enum probe_resumption { PROBE_RESUMES_NOT = 0, PROBE_RESUMES, PROBE_RESUMES_UNKNOWN };

struct probe_result {
	char greeting[PROBE_TEXT_MAX];	 /* ""; none was seen */
	uint16_t auth_code;		 /* of the answer to the last AUTH; 0: none was sent */
	char auth_text[PROBE_TEXT_MAX];	 /* of the same */
	enum secure_mechanism mechanism; /* that has worked */
	bool clear_greeting;		 /* implicit: the greeting came in the clear (z/OS) */
	char shown[TLSCTX_SHA256_TEXT];	 /* SHA-256 of the server's certificate, refused or not; "": none */
	bool tls;			 /* the handshake is done, and what follows is set */
	char version[16], cipher[64], group[32];
	struct identity identity; /* the result's; probe_result_done() */
	enum probe_resumption resumption;
	bool feat; /* FEAT was answered before a login */
	unsigned features;
	char error[PROBE_TEXT_MAX]; /* why the probe went no further; "": it did */
};

/* Returns whether TLS with the server came up. */
bool probe_run(const struct probe_target *target, struct probe_result *ret);

void probe_result_done(struct probe_result *result);

#endif
