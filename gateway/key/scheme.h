/*
 * The signature schemes of TLS (RFC 8446 4.2.3) that attlsd can have a key sign
 * with: what the number means for OpenSSL, and in which versions it may be used.
 */
#ifndef ATTLSD_GATEWAY_KEY_SCHEME_H
#define ATTLSD_GATEWAY_KEY_SCHEME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits of key_scheme.versions; key_content_role() gives one of them. */
#define KEY_TLS1_2 1u
#define KEY_TLS1_3 2u

struct key_scheme {
	uint16_t id;	    /* in the protocol */
	const char *type;   /* OpenSSL's name of the key type */
	const char *digest; /* NULL: the scheme has its own */
	bool pss;	    /* RSA with PSS padding, the salt as long as the digest */
	unsigned versions;
};

/* By its number. NULL: unknown. */
const struct key_scheme *key_scheme_find(uint16_t id);

/*
 * By what OpenSSL asks for: the key type, a digest under any of its names (NULL or
 * "": none) and the padding. NULL: TLS has no such scheme.
 */
const struct key_scheme *key_scheme_of(const char *type, const char *digest, bool pss);

/* The row at this place, NULL after the last. For tests. */
const struct key_scheme *key_scheme_at(size_t index);

#endif
