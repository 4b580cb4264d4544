/*
 * The input is a client's certificate in DER, or, if its first byte is no SEQUENCE,
 * a name as a policy has it. What is read of a certificate is safe for a log, and
 * an entry of users that is printed from it matches it.
 */
#include <openssl/x509.h>

#include "gateway/tls/identity-entry.h"
#include "gateway/tls/identity-name.h"
#include "gateway/tls/identity.h"
#include "tests/fuzz/fuzz.h"

#define DER_SEQUENCE 0x30

static void check_printable(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		assert(*c >= ' ' && *c <= '~');
}

/* An entry with only this part: if it compiles, it has to match the certificate that it comes from. */
static void check_entry(const struct identity *identity, enum certificate_part part, const char *text)
{
	const struct policy_user user = { .name = "u" };
	struct policy_user_certificate certificate = { .text = { NULL } };
	struct identity_entry *entry = NULL;
	struct diags diags;

	certificate.text[part] = text;
	assert(diags_init(&diags, "", NULL, 0) == 0);
	assert(identity_entry_make(&user, &certificate, &diags, &entry) == 0);
	if (entry != NULL) {
		assert(identity_entry_covers(entry, entry));
		if (part == CERTIFICATE_SUBJECT ? identity->name != NULL : part != CERTIFICATE_ISSUER)
			assert(identity_entry_matches(entry, identity));
	}
	identity_entry_free(&entry);
	diags_done(&diags);
}

static void check_certificate(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_copy(data, size);
	const uint8_t *at = copy;
	X509 *certificate = d2i_X509(NULL, &at, (long)size);
	char name[IDENTITY_NAME_MAX], sha256[IDENTITY_SHA256_TEXT], san[IDENTITY_SAN_MAX];
	struct identity identity;

	if (certificate != NULL && identity_from_certificate(certificate, true, &identity) == 0) {
		check_printable(identity.subject);
		check_printable(identity.issuer);
		check_printable(identity.serial);
		assert(strlen(identity_common_name(&identity, name)) < IDENTITY_NAME_MAX);
		check_entry(&identity, CERTIFICATE_SUBJECT, identity.subject);
		check_entry(&identity, CERTIFICATE_ISSUER, identity.issuer);
		check_entry(&identity, CERTIFICATE_SERIAL, identity.serial);
		check_entry(&identity, CERTIFICATE_SHA256, identity_sha256(&identity, sha256));
		for (int i = 0; identity_san(&identity, i, san); i++) {
			check_printable(san);
			check_entry(&identity, CERTIFICATE_SAN, san);
		}
		identity_done(&identity);
	}
	X509_free(certificate);
	free(copy);
}

/* A name is equal to itself, and its encoding does not change. */
static void check_name(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	X509_NAME *one = NULL, *two = NULL;

	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (identity_name_parse(text, &one) == 0) {
		assert(identity_name_parse(text, &two) == 0);
		assert(X509_NAME_entry_count(one) > 0 && X509_NAME_cmp(one, two) == 0);
	}
	X509_NAME_free(one);
	X509_NAME_free(two);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] == DER_SEQUENCE)
		check_certificate(data, size);
	else
		check_name(data, size);
	return 0;
}
