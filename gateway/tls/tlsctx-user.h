/* The id that binds what all sessions of a user may resume (secure_session_reuse: required_user). */
#ifndef ATTLSD_GATEWAY_TLS_TLSCTX_USER_H
#define ATTLSD_GATEWAY_TLS_TLSCTX_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/tls/tlsctx-reuse.h"
#include "policy/ip.h"

#define TLS_USER_KEY_BYTES 32

/*
 * The id of this user under this rule and from this address. key: random, of all workers.
 * False: no memory, or a name is too long.
 */
bool tlsctx_user_binding(const uint8_t key[static TLS_USER_KEY_BYTES], const char *rule, const char *user,
			 const struct ip_addr *client, uint8_t ret_binding[static TLS_BINDING_BYTES]);

#endif
