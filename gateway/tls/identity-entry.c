/*
 * Compiles what the policy says about a user's certificate and compares it with a
 * certificate. Names are compared as parsed names, all else byte by byte.
 */
#include "gateway/tls/identity-entry.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/util.h"
#include "gateway/tls/identity-name.h"

#define SHA256_DIGITS ((size_t)2 * IDENTITY_HASH_BYTES)

struct identity_entry {
	X509_NAME *names[CERTIFICATE_ISSUER + 1]; /* by enum certificate_part; NULL: not named */
	char *serial, *sha256;			  /* hex in lower case without colons; NULL: not named */
	int san_type;				  /* of GENERAL_NAME */
	uint8_t *san;				  /* NULL: not named */
	size_t san_len;
};

/* Hex digits, in pairs with colons between them or without colons, in lower case. NULL: they are not, or no
 * memory. */
static char *hex_normalise(const char *text)
{
	char *digits = malloc(strlen(text) + 1);
	bool colons = strchr(text, ':') != NULL;
	size_t n = 0;

	for (const char *c = text; *c != '\0' && digits != NULL; c++) {
		bool separator = colons && (c - text) % 3 == 2;

		if (separator ? *c != ':' || c[1] == '\0' : !isxdigit((unsigned char)*c)) {
			free(digits);
			return NULL;
		}
		if (!separator)
			digits[n++] = (char)tolower((unsigned char)*c);
	}
	if (digits != NULL)
		digits[n] = '\0';
	return digits;
}

static const char *skip_zeros(const char *digits)
{
	while (digits[0] == '0' && digits[1] != '\0')
		digits++;
	return digits;
}

/* "DNS:host" and the like. Returns 0, -EINVAL or -ENOMEM. */
static int parse_san(struct identity_entry *entry, const char *text)
{
	static const struct {
		const char *prefix;
		int type;
	} types[] = {
		{ "DNS:", GEN_DNS }, { "email:", GEN_EMAIL }, { "URI:", GEN_URI }, { "IP:", GEN_IPADD }
	};
	struct ip_addr addr;

	for (size_t i = 0; i < NELEM(types); i++) {
		size_t prefix = strlen(types[i].prefix);
		const char *value = text + prefix;

		if (strncasecmp(text, types[i].prefix, prefix) != 0 || *value == '\0')
			continue;
		entry->san_type = types[i].type;
		entry->san_len = strlen(value);
		if (types[i].type == GEN_IPADD) {
			if (ip_addr_parse(value, entry->san_len, &addr) < 0)
				return -EINVAL;
			value = (const char *)addr.bytes;
			entry->san_len = addr.family == IP_V4 ? 4 : sizeof(addr.bytes);
		}
		entry->san = malloc(entry->san_len);
		if (entry->san == NULL)
			return -ENOMEM;
		memcpy(entry->san, value, entry->san_len);
		return 0;
	}
	return -EINVAL;
}

static int parse_hex(const char *text, size_t least, size_t most, char **ret_digits)
{
	char *digits = hex_normalise(text);
	size_t len = digits != NULL ? strlen(digits) : 0;

	if (len < least || len > most) {
		free(digits);
		return -EINVAL;
	}
	*ret_digits = digits;
	return 0;
}

static int parse_part(struct identity_entry *entry, enum certificate_part part, const char *text)
{
	switch (part) {
	case CERTIFICATE_SUBJECT:
	case CERTIFICATE_ISSUER:
		return identity_name_parse(text, &entry->names[part]);
	case CERTIFICATE_SERIAL:
		return parse_hex(text, 1, IDENTITY_SERIAL_MAX - 1, &entry->serial);
	case CERTIFICATE_SHA256:
		return parse_hex(text, SHA256_DIGITS, SHA256_DIGITS, &entry->sha256);
	case CERTIFICATE_SAN:
		return parse_san(entry, text);
	case CERTIFICATE_PARTS:
		break;
	}
	return -EINVAL;
}

int identity_entry_make(const struct policy_user *user, const struct policy_user_certificate *certificate,
			struct diags *diags, struct identity_entry **ret_entry)
{
	static const struct {
		const char *key, *form;
	} parts[] = {
		[CERTIFICATE_SUBJECT] = { "subject", "a valid RFC 2253 name" },
		[CERTIFICATE_ISSUER] = { "issuer", "a valid RFC 2253 name" },
		[CERTIFICATE_SERIAL] = { "serial", "hex digits, in pairs with colons or without colons" },
		[CERTIFICATE_SHA256] = { "sha256", "64 hex digits, in pairs with colons or without colons" },
		[CERTIFICATE_SAN] = { "san", "DNS:name, email:address, URI:uri or IP:address" },
	};
	struct identity_entry *entry = calloc(1, sizeof(*entry));
	bool named = false, faulty = false;
	int r = entry != NULL ? 0 : -ENOMEM;

	*ret_entry = NULL;
	for (enum certificate_part part = 0; part < CERTIFICATE_PARTS && r == 0; part++) {
		const char *text = certificate->text[part];

		if (text == NULL)
			continue;
		named = true;
		r = parse_part(entry, part, text);
		if (r != -EINVAL)
			continue;
		diags_add(diags, DIAG_ERROR, DIAG_BAD_CERTIFICATE_PART, certificate->marks[part],
			  "\"%s\" of users \"%s\" is not %s: \"%.200s\"", parts[part].key, user->name,
			  parts[part].form, text);
		faulty = true;
		r = 0;
	}
	if (r == 0 && named && !faulty) {
		*ret_entry = entry;
		entry = NULL;
	}
	identity_entry_free(&entry);
	return r;
}

void identity_entry_free(struct identity_entry **entry)
{
	if (*entry == NULL)
		return;
	for (size_t i = 0; i < NELEM((*entry)->names); i++)
		X509_NAME_free((*entry)->names[i]);
	free((*entry)->serial);
	free((*entry)->sha256);
	free((*entry)->san);
	free(*entry);
	*entry = NULL;
}

const X509_NAME *identity_entry_issuer(const struct identity_entry *entry)
{
	return entry->names[CERTIFICATE_ISSUER];
}

/*
 * Host names, also that of a mail address, are compared without regard to case (RFC 5280
 * 4.2.1.6), everything else byte by byte.
 */
static bool san_equal(int type, const uint8_t *a, const uint8_t *b, size_t len)
{
	const uint8_t *at = type == GEN_EMAIL ? memrchr(a, '@', len) : NULL;
	size_t exact = type == GEN_DNS ? 0 : at != NULL ? (size_t)(at - a) : len;

	if (memcmp(a, b, exact) != 0)
		return false;
	for (size_t i = exact; i < len; i++)
		if (tolower(a[i]) != tolower(b[i]))
			return false;
	return true;
}

/* The lengths are compared first, so a NUL inside a name ends nothing. */
static bool san_matches(const struct identity_entry *entry, const GENERAL_NAME *name)
{
	const ASN1_STRING *value;
	int type;

	value = GENERAL_NAME_get0_value(name, &type);
	if (type != entry->san_type || value == NULL || (size_t)ASN1_STRING_length(value) != entry->san_len)
		return false;
	return san_equal(type, entry->san, ASN1_STRING_get0_data(value), entry->san_len);
}

static bool has_san(const struct identity_entry *entry, const X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++)
		found = san_matches(entry, sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
	return found;
}

static bool has_issuer(const struct identity *identity, const X509_NAME *issuer)
{
	for (int i = 0; i < sk_X509_NAME_num(identity->issuers); i++)
		if (X509_NAME_cmp(sk_X509_NAME_value(identity->issuers, i), issuer) == 0)
			return true;
	return false;
}

bool identity_entry_matches(const struct identity_entry *entry, const struct identity *identity)
{
	const X509_NAME *subject = entry->names[CERTIFICATE_SUBJECT];
	const X509_NAME *issuer = entry->names[CERTIFICATE_ISSUER];
	char sha256[IDENTITY_SHA256_TEXT];

	if (subject != NULL && (identity->name == NULL || X509_NAME_cmp(subject, identity->name) != 0))
		return false;
	if (issuer != NULL && !has_issuer(identity, issuer))
		return false;
	if (entry->serial != NULL && strcmp(skip_zeros(entry->serial), skip_zeros(identity->serial)) != 0)
		return false;
	if (entry->sha256 != NULL && strcmp(entry->sha256, identity_sha256(identity, sha256)) != 0)
		return false;
	return entry->san == NULL || has_san(entry, identity->certificate);
}

static bool name_covers(const X509_NAME *a, const X509_NAME *b)
{
	return a == NULL || (b != NULL && X509_NAME_cmp(a, b) == 0);
}

static bool text_covers(const char *a, const char *b)
{
	return a == NULL || (b != NULL && strcmp(skip_zeros(a), skip_zeros(b)) == 0);
}

bool identity_entry_covers(const struct identity_entry *a, const struct identity_entry *b)
{
	for (size_t i = 0; i < NELEM(a->names); i++)
		if (!name_covers(a->names[i], b->names[i]))
			return false;
	if (!text_covers(a->serial, b->serial) || !text_covers(a->sha256, b->sha256))
		return false;
	return a->san == NULL || (b->san != NULL && a->san_type == b->san_type && a->san_len == b->san_len &&
				  san_equal(a->san_type, a->san, b->san, a->san_len));
}
