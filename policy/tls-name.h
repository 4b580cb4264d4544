/*
 * The names of key exchange groups and signature algorithms: IANA's, OpenSSL's and
 * the 4-digit ids of z/OS, which are decimal for groups and hexadecimal for
 * signature algorithms.
 *
 * This module does not use OpenSSL: policy/ links without it. Which of them OpenSSL
 * has is found out when the policy is loaded.
 */
#ifndef ATTLSD_POLICY_TLS_NAME_H
#define ATTLSD_POLICY_TLS_NAME_H

#include <stddef.h>
#include <stdint.h>

enum tls_name_kind { TLS_NAME_GROUP = 0, TLS_NAME_SIGNATURE };

struct tls_name {
	const char *zos;     /* id as z/OS writes it */
	const char *iana;    /* as in IANA's registry; this is the one that OpenSSL is given */
	const char *openssl; /* another name that OpenSSL has for it; NULL: none */
	const char *refusal; /* why it is refused; NULL: it is not */
};

/* By any name, in any case. NULL: unknown. */
const struct tls_name *tls_name_find(enum tls_name_kind kind, const char *text);

/* The tables, for suggestions and tests: NULL past the end. */
const struct tls_name *tls_name_at(enum tls_name_kind kind, size_t index);

#endif
