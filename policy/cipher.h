/*
 * The names of a cipher suite: IANA's, OpenSSL's, z/OS FTP.DATA's and the hex id of AT-TLS.
 *
 * This module does not use OpenSSL: policy/ links without it.
 */
#ifndef ATTLSD_POLICY_CIPHER_H
#define ATTLSD_POLICY_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cipher {
	uint16_t id;	     /* on the wire, RFC 8446 B.4 and IANA's registry */
	const char *iana;    /* TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 */
	const char *openssl; /* ECDHE-RSA-AES128-GCM-SHA256; NULL: known only so that it can be refused */
	const char *ftpdata; /* SSL_AES_128_SHA, the CIPHERSUITE statement; NULL: none */
};

/* By any name, in any case, or by id in four or two hex digits (C02B, 002F, 2F). NULL: unknown. */
const struct cipher *cipher_find(const char *text);

/* A suite of TLS 1.3, which OpenSSL keeps in a list of its own. */
bool cipher_is_tls13(const struct cipher *cipher);

/* A cipher that only protects against changes has the level SAFE, not PRIVATE. */
bool cipher_encrypts(const struct cipher *cipher);

/* Static RSA: the client encrypts a secret for the server's key, which has to decrypt it. */
bool cipher_needs_decryption(const struct cipher *cipher);

/* The part of a name that stands for a weak algorithm ("3DES"), or NULL. Works for unknown names, too. */
const char *cipher_weakness(const char *name);

/* The table, for suggestions and tests: NULL past the end. */
const struct cipher *cipher_at(size_t index);

/* Does FIPS 140 approve this cipher suite, group or signature algorithm? By OpenSSL's name. */
bool cipher_fips_approves(const char *name);

#endif
