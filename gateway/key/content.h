/*
 * What a TLS server signs, and what a client signs, told apart from each other and from
 * everything else that a key could be made to sign. No secrets and no OpenSSL in here.
 */
#ifndef ATTLSD_GATEWAY_KEY_CONTENT_H
#define ATTLSD_GATEWAY_KEY_CONTENT_H

#include <stddef.h>
#include <stdint.h>

/*
 * The longest content: of a client of TLS 1.2, which signs all messages of its handshake so
 * far, with the certificates of both sides and the names of the authorities that the server
 * trusts. A server of TLS 1.2 with a point of P-521 signs 201 bytes.
 */
#define KEY_CONTENT_MAX (48 * 1024)

/* Bits: what a key may be used for. */
enum key_role { KEY_ROLE_NONE = 0, KEY_ROLE_SERVER = 1, KEY_ROLE_CLIENT = 2 };

/*
 * Which side of TLS signs this in a handshake? *ret_version is KEY_TLS1_2 or KEY_TLS1_3
 * (scheme.h). KEY_ROLE_NONE: it is something else, and must not be signed.
 */
enum key_role key_content_role(const uint8_t *content, size_t len, unsigned *ret_version);

#endif
