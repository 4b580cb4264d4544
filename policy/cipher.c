/*
 * The table of cipher suites under all their names, and the searches in it.
 * cipher-list.c reads the policy's lists with it. Suites that are too weak have
 * rows without an OpenSSL name, so that the message can say why they are refused.
 */
#include "policy/cipher.h"

#include <string.h>
#include <strings.h>

#include "policy/nelem.h"

/* Sorted by id. The OpenSSL names are those of `openssl ciphers -V ALL:COMPLEMENTOFALL`, version 3.0. */
static const struct cipher ciphers[] = {
	{ 0x0001, "TLS_RSA_WITH_NULL_MD5", NULL, "SSL_NULL_MD5" },
	{ 0x0002, "TLS_RSA_WITH_NULL_SHA", "NULL-SHA", "SSL_NULL_SHA" },
	{ 0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5", NULL, "SSL_RC4_MD5_EX" },
	{ 0x0004, "TLS_RSA_WITH_RC4_128_MD5", NULL, "SSL_RC4_MD5" },
	{ 0x0005, "TLS_RSA_WITH_RC4_128_SHA", NULL, "SSL_RC4_SHA" },
	{ 0x0006, "TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5", NULL, "SSL_RC2_MD5_EX" },
	{ 0x0009, "TLS_RSA_WITH_DES_CBC_SHA", NULL, "SSL_DES_SHA" },
	{ 0x000A, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", NULL, "SSL_3DES_SHA" },
	{ 0x000C, "TLS_DH_DSS_WITH_DES_CBC_SHA", NULL, NULL },
	{ 0x000D, "TLS_DH_DSS_WITH_3DES_EDE_CBC_SHA", NULL, NULL },
	{ 0x000F, "TLS_DH_RSA_WITH_DES_CBC_SHA", NULL, NULL },
	{ 0x0010, "TLS_DH_RSA_WITH_3DES_EDE_CBC_SHA", NULL, NULL },
	{ 0x0012, "TLS_DHE_DSS_WITH_DES_CBC_SHA", NULL, NULL },
	{ 0x0013, "TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA", NULL, NULL },
	{ 0x0015, "TLS_DHE_RSA_WITH_DES_CBC_SHA", NULL, NULL },
	{ 0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA", NULL, NULL },
	{ 0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA", "SSL_AES_128_SHA" },
	{ 0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "DHE-RSA-AES128-SHA", NULL },
	{ 0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA", "SSL_AES_256_SHA" },
	{ 0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "DHE-RSA-AES256-SHA", NULL },
	{ 0x003B, "TLS_RSA_WITH_NULL_SHA256", "NULL-SHA256", NULL },
	{ 0x003C, "TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256", NULL },
	{ 0x003D, "TLS_RSA_WITH_AES_256_CBC_SHA256", "AES256-SHA256", NULL },
	{ 0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", "DHE-RSA-AES128-SHA256", NULL },
	{ 0x006B, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", "DHE-RSA-AES256-SHA256", NULL },
	{ 0x009C, "TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256", NULL },
	{ 0x009D, "TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384", NULL },
	{ 0x009E, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE-RSA-AES128-GCM-SHA256", NULL },
	{ 0x009F, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE-RSA-AES256-GCM-SHA384", NULL },
	{ 0x1301, "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", NULL },
	{ 0x1302, "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", NULL },
	{ 0x1303, "TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256", NULL },
	{ 0x1304, "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_SHA256", NULL },
	{ 0xC001, "TLS_ECDH_ECDSA_WITH_NULL_SHA", NULL, NULL },
	{ 0xC002, "TLS_ECDH_ECDSA_WITH_RC4_128_SHA", NULL, NULL },
	{ 0xC003, "TLS_ECDH_ECDSA_WITH_3DES_EDE_CBC_SHA", NULL, NULL },
	{ 0xC006, "TLS_ECDHE_ECDSA_WITH_NULL_SHA", "ECDHE-ECDSA-NULL-SHA", NULL },
	{ 0xC007, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", NULL, NULL },
	{ 0xC008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA", NULL, NULL },
	{ 0xC009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA", NULL },
	{ 0xC00A, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA", NULL },
	{ 0xC00B, "TLS_ECDH_RSA_WITH_NULL_SHA", NULL, NULL },
	{ 0xC00C, "TLS_ECDH_RSA_WITH_RC4_128_SHA", NULL, NULL },
	{ 0xC00D, "TLS_ECDH_RSA_WITH_3DES_EDE_CBC_SHA", NULL, NULL },
	{ 0xC010, "TLS_ECDHE_RSA_WITH_NULL_SHA", "ECDHE-RSA-NULL-SHA", NULL },
	{ 0xC011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA", NULL, NULL },
	{ 0xC012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", NULL, NULL },
	{ 0xC013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA", NULL },
	{ 0xC014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA", NULL },
	{ 0xC023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256", NULL },
	{ 0xC024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE-ECDSA-AES256-SHA384", NULL },
	{ 0xC027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256", NULL },
	{ 0xC028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "ECDHE-RSA-AES256-SHA384", NULL },
	{ 0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", NULL },
	{ 0xC02C, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384", NULL },
	{ 0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", NULL },
	{ 0xC030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", NULL },
	{ 0xC0AC, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "ECDHE-ECDSA-AES128-CCM", NULL },
	{ 0xC0AD, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM", "ECDHE-ECDSA-AES256-CCM", NULL },
	{ 0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305", NULL },
	{ 0xCCA9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", NULL },
	{ 0xCCAA, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "DHE-RSA-CHACHA20-POLY1305", NULL },
};

const struct cipher *cipher_at(size_t index)
{
	return index < NELEM(ciphers) ? &ciphers[index] : NULL;
}

/* Two or four hex digits; -1 otherwise. */
static int parse_id(const char *text)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = strnlen(text, 5);
	int id = 0;

	if (len != 2 && len != 4)
		return -1;
	for (; *text != '\0'; text++) {
		const char *digit = strchr(digits, *text | 0x20);

		if (digit == NULL || (*text | 0x20) == '\0')
			return -1;
		id = 16 * id + (int)(digit - digits);
	}
	return id;
}

static bool is_name(const char *name, const char *text)
{
	return name != NULL && strcasecmp(name, text) == 0;
}

const struct cipher *cipher_find(const char *text)
{
	int id = parse_id(text);
	const struct cipher *c;

	for (size_t i = 0; (c = cipher_at(i)) != NULL; i++)
		if (c->id == id || is_name(c->iana, text) || is_name(c->openssl, text) ||
		    is_name(c->ftpdata, text))
			return c;
	return NULL;
}

bool cipher_is_tls13(const struct cipher *cipher)
{
	return cipher->id >> 8 == 0x13;
}

bool cipher_encrypts(const struct cipher *cipher)
{
	return cipher_is_tls13(cipher) || strstr(cipher->iana, "_WITH_NULL_") == NULL;
}

bool cipher_needs_decryption(const struct cipher *cipher)
{
	static const char prefix[] = "TLS_RSA_";

	return strncmp(cipher->iana, prefix, strlen(prefix)) == 0;
}

const char *cipher_weakness(const char *name)
{
	static const char *const words[] = { "NULL", "RC4", "RC2",   "DES", "3DES", "EXPORT", "EXP",
					     "anon", "ADH", "AECDH", "MD5", "SEED", "IDEA" };

	for (const char *part = name; *part != '\0';) {
		size_t len = strcspn(part, "-_");

		for (size_t i = 0; i < NELEM(words); i++)
			if (len == strlen(words[i]) && strncasecmp(part, words[i], len) == 0)
				return words[i];
		part += len;
		part += strspn(part, "-_");
	}
	return NULL;
}

/* Parts of names in the lists, which are OpenSSL's. NIST SP 800-52 Rev. 2, SP 800-56A and SP 800-186. */
static const char *const unapproved[] = { "CHACHA20", "brainpool", "NULL-SHA" };
/* Whole names: hybrids with ML-KEM are another matter. */
static const char *const unapproved_groups[] = { "x25519", "x448" };

bool cipher_fips_approves(const char *name)
{
	for (size_t i = 0; i < NELEM(unapproved); i++)
		if (strstr(name, unapproved[i]) != NULL)
			return false;
	for (size_t i = 0; i < NELEM(unapproved_groups); i++)
		if (strcmp(name, unapproved_groups[i]) == 0)
			return false;
	return true;
}
