/* What a tls_action offers, for attlsctl: it has no connection. */
#ifndef ATTLSD_GATEWAY_TLS_TLSCTX_SUITES_H
#define ATTLSD_GATEWAY_TLS_TLSCTX_SUITES_H

#include <stdbool.h>

#include "policy/policy.h"

/*
 * The cipher suites that clients of this tls_action can get, best first, as OpenSSL
 * names them. fn gets each. Reads no certificate. Returns 0 or -ENOMEM.
 */
typedef void tlsctx_suite_fn(void *context, const char *name);
int tlsctx_suites(const struct tls_action *action, bool isolated, tlsctx_suite_fn *fn, void *context);

#endif
