/* The groups and signature algorithms of a tls_action. */
#ifndef ATTLSD_GATEWAY_TLS_TLSCTX_NAMES_H
#define ATTLSD_GATEWAY_TLS_TLSCTX_NAMES_H

#include "policy/policy.h"

struct ssl_ctx_st;

/* What this OpenSSL lacks goes into diags, with the place in the policy. */
void tlsctx_names_use(const struct tls_action *action, struct ssl_ctx_st *ctx, struct diags *diags);

#endif
