/*
 * The header of a message that GSS_Wrap has protected with Kerberos (RFC 4121 4.2.6.2).
 * It is authenticated, but only once GSS_Unwrap has accepted the whole message.
 */
#ifndef ATTLSD_GATEWAY_GSSAPI_TOKEN_H
#define ATTLSD_GATEWAY_GSSAPI_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GSSAPI_TOKEN_HEADER 16

struct gssapi_token {
	bool from_acceptor;
	bool sealed;	      /* it is encrypted */
	bool acceptor_subkey; /* with the key that the acceptor has made */
	uint64_t sequence;
};

/* False: it is no such message. Those of older encryption types (DES, RC4) are not. */
bool gssapi_token_parse(const uint8_t *bytes, size_t len, struct gssapi_token *ret_token);

#endif
