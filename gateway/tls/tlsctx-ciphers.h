/* The versions and ciphers of a tls_action. */
#ifndef ATTLSD_GATEWAY_TLS_TLSCTX_CIPHERS_H
#define ATTLSD_GATEWAY_TLS_TLSCTX_CIPHERS_H

#include <stdbool.h>

#include "policy/policy.h"

struct ssl_ctx_st;
struct ssl_st;

/* Of one context; lives as long as that, at one address. */
struct tlsctx_ciphers {
	/* OpenSSL's own, where the policy allows ciphers that do not encrypt */
	int (*security)(const struct ssl_st *ssl, const struct ssl_ctx_st *ctx, int operation, int bits,
			int nid, void *other, void *arg);
};

void tlsctx_ciphers_set_versions(struct ssl_ctx_st *ctx, unsigned versions);

/*
 * isolated: the private keys only sign, which suites with static RSA do not do with them.
 * Faults go into diags. Returns 0 or -ENOMEM.
 */
int tlsctx_ciphers_use(struct tlsctx_ciphers *ciphers, const struct tls_action *action, bool isolated,
		       struct ssl_ctx_st *ctx, struct diags *diags);

#endif
