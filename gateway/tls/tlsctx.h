/*
 * An SSL_CTX for each tls_action of the policy. The only module that sets TLS
 * options.
 *
 * Session binding: every TLS session that a control session's connections
 * establish carries that session's random id as its session id context, in the
 * server's cache and inside tickets alike. A data connection resumes only what
 * carries the id of *its* control session; anything else becomes a full
 * handshake, in TLS 1.2 and 1.3, without code of our own on that path. A new
 * control connection may resume any session of its tls_action, and is given
 * new tickets with its own id. Where client certificates are requested, it
 * resumes nothing, so that the certificate of each control session is checked.
 */
#ifndef ATTLSD_GATEWAY_TLS_TLSCTX_H
#define ATTLSD_GATEWAY_TLS_TLSCTX_H

#include <stdint.h>

#include "policy/policy.h"

#define TLS_BINDING_BYTES 16

struct certs;
struct trust;
struct ssl_ctx_st;
struct ssl_st;
struct tlsctx;	   /* one tls_action */
struct tlsctx_set; /* all of a policy */

enum tlsctx_use { TLSCTX_CONTROL = 0, TLSCTX_DATA, TLSCTX_USES };

/*
 * Load certificates, keys and settings of all tls_actions. Every fault goes
 * into diags with the place in the policy that names the file. Returns 0, or
 * -EINVAL (diags says why), or -ENOMEM. Reads files: before chroot.
 */
int tlsctx_set_load(const struct policy *policy, struct diags *diags, struct tlsctx_set **ret_set);
void tlsctx_set_free(struct tlsctx_set **set);

/* Of the key ring at this place of the policy; the set's. */
const struct certs *tlsctx_set_certs(const struct tlsctx_set *set, size_t keyring);
const struct trust *tlsctx_set_trust(const struct tlsctx_set *set, size_t keyring);

/* Lives as long as the set. */
struct tlsctx *tlsctx_find(struct tlsctx_set *set, const struct tls_action *action);

/*
 * A new server-side SSL for one connection, without transport. NULL: no memory.
 */
struct ssl_st *tlsctx_new(struct tlsctx *tlsctx, enum tlsctx_use use,
			  const uint8_t binding[static TLS_BINDING_BYTES]);

/* Once a control connection's handshake is done: bind the session that the server keeps. */
void tlsctx_bind(struct ssl_st *ssl);

#endif
