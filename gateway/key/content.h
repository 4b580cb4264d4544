/*
 * What a TLS server signs, told apart from everything else that a key could be
 * made to sign. No secrets and no OpenSSL in here.
 */
#ifndef ATTLSD_GATEWAY_KEY_CONTENT_H
#define ATTLSD_GATEWAY_KEY_CONTENT_H

#include <stddef.h>
#include <stdint.h>

/* The longest content: TLS 1.2 with a point of P-521 (64 + 4 + 133 bytes). */
#define KEY_CONTENT_MAX 208

/*
 * Is this the content of a signature that a TLS server makes in a handshake? Returns
 * KEY_TLS1_2, KEY_TLS1_3 (scheme.h), or 0: it is something else, and must not be signed.
 */
unsigned key_content_version(const uint8_t *content, size_t len);

#endif
