/*
 * The names of a cipher suite: IANA's, OpenSSL's, z/OS FTP.DATA's and the hex id of AT-TLS.
 *
 * No OpenSSL here: a policy can be checked on a machine that has none.
 */
#ifndef ATTLSD_POLICY_CIPHER_H
#define ATTLSD_POLICY_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cipher {
	uint16_t id;	     /* on the wire, RFC 8446 B.4 and IANA's registry */
	const char *iana;    /* TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 */
	const char *openssl; /* ECDHE-RSA-AES128-GCM-SHA256; NULL: only known in order to be refused */
	const char *ftpdata; /* SSL_AES_128_SHA, the CIPHERSUITE statement; NULL: none */
};

/* By any of its names (in any case) or by its id in four or two hex digits (C02B, 002F, 2F). NULL: unknown.
 */
const struct cipher *cipher_find(const char *text);

/* A suite of TLS 1.3, which OpenSSL keeps in a list of its own. */
bool cipher_is_tls13(const struct cipher *cipher);

/* One that only protects against changes has the level SAFE, not PRIVATE. */
bool cipher_encrypts(const struct cipher *cipher);

/* NULL, or the part of the name that nobody should use any more ("3DES"). For unknown names as well. */
const char *cipher_weakness(const char *name);

/* The table, for suggestions and tests: NULL past the end. */
const struct cipher *cipher_at(size_t index);

#endif
