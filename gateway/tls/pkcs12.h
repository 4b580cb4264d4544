/* The certificates and private keys in a PKCS #12 file (RFC 7292). */
#ifndef ATTLSD_GATEWAY_TLS_PKCS12_H
#define ATTLSD_GATEWAY_TLS_PKCS12_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/tls/pbe.h"

/* The longest file, and what one may hold. */
#define PKCS12_BYTES_MAX	(1024 * 1024)
#define PKCS12_KEYS_MAX		64
#define PKCS12_CERTIFICATES_MAX 1024

struct evp_pkey_st;
struct stack_st_X509;
struct x509_st;

/* A key and its certificate. */
struct pkcs12_pair {
	char *label; /* friendlyName, in UTF-8; NULL: none */
	struct x509_st *leaf;
	struct evp_pkey_st *key;
};

struct pkcs12 {
	struct pkcs12_pair pairs[PKCS12_KEYS_MAX];
	size_t npairs;
	struct stack_st_X509 *others; /* certificates without a key: authorities */
};

/* The password may be NULL: the file has none. Returns 0 and the content, or a negative errno and why. */
int pkcs12_open(const uint8_t *bytes, size_t len, const char *password, struct pkcs12 **ret_pkcs12,
		char why[static PBE_WHY_MAX]);
void pkcs12_close(struct pkcs12 **pkcs12);

#endif
