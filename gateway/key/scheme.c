/*
 * The table of TLS signature schemes. The worker's side (provider.c) finds a row by
 * what OpenSSL asks for, the signer finds it by its number.
 */
#include "gateway/key/scheme.h"

#include <string.h>
#include <strings.h>

#include "gateway/base/util.h"

#define BOTH (KEY_TLS1_2 | KEY_TLS1_3)

/* PKCS#1 and the short digests are for TLS 1.2 only (RFC 8446 4.2.3). */
static const struct key_scheme schemes[] = {
	{ 0x0201, "RSA", "SHA1", false, KEY_TLS1_2 },	{ 0x0203, "EC", "SHA1", false, KEY_TLS1_2 },
	{ 0x0301, "RSA", "SHA224", false, KEY_TLS1_2 }, { 0x0303, "EC", "SHA224", false, KEY_TLS1_2 },
	{ 0x0401, "RSA", "SHA256", false, KEY_TLS1_2 }, { 0x0403, "EC", "SHA256", false, BOTH },
	{ 0x0501, "RSA", "SHA384", false, KEY_TLS1_2 }, { 0x0503, "EC", "SHA384", false, BOTH },
	{ 0x0601, "RSA", "SHA512", false, KEY_TLS1_2 }, { 0x0603, "EC", "SHA512", false, BOTH },
	{ 0x0804, "RSA", "SHA256", true, BOTH },	{ 0x0805, "RSA", "SHA384", true, BOTH },
	{ 0x0806, "RSA", "SHA512", true, BOTH },	{ 0x0807, "ED25519", NULL, false, BOTH },
	{ 0x0808, "ED448", NULL, false, BOTH },		{ 0x0809, "RSA-PSS", "SHA256", true, BOTH },
	{ 0x080A, "RSA-PSS", "SHA384", true, BOTH },	{ 0x080B, "RSA-PSS", "SHA512", true, BOTH },
};

/* OpenSSL uses both names of a digest. */
static const struct {
	const char *name, *other;
} digests[] = {
	{ "SHA1", "SHA-1" },	  { "SHA224", "SHA2-224" }, { "SHA256", "SHA2-256" },
	{ "SHA384", "SHA2-384" }, { "SHA512", "SHA2-512" },
};

const struct key_scheme *key_scheme_at(size_t index)
{
	return index < NELEM(schemes) ? &schemes[index] : NULL;
}

const struct key_scheme *key_scheme_find(uint16_t id)
{
	for (size_t i = 0; i < NELEM(schemes); i++)
		if (schemes[i].id == id)
			return &schemes[i];
	return NULL;
}

static const char *plain_name(const char *digest)
{
	for (size_t i = 0; i < NELEM(digests); i++)
		if (strcasecmp(digest, digests[i].other) == 0)
			return digests[i].name;
	return digest;
}

static bool is_digest(const struct key_scheme *scheme, const char *digest)
{
	bool none = digest == NULL || *digest == '\0' || strcasecmp(digest, "UNDEF") == 0;

	if (scheme->digest == NULL || none)
		return scheme->digest == NULL && none;
	return strcasecmp(scheme->digest, plain_name(digest)) == 0;
}

const struct key_scheme *key_scheme_of(const char *type, const char *digest, bool pss)
{
	for (size_t i = 0; i < NELEM(schemes); i++)
		if (strcmp(schemes[i].type, type) == 0 && schemes[i].pss == pss &&
		    is_digest(&schemes[i], digest))
			return &schemes[i];
	return NULL;
}
