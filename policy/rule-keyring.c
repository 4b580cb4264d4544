/*
 * Checks of key rings: an entry of "certificates" names files of its own, or a certificate
 * in the file of "pkcs12". Each key belongs to one of these two ways.
 */
#include "policy/rule-keyring.h"

#include "policy/key-uri.h"
#include "policy/nelem.h"
#include "policy/rule-check.h"

#include <stdbool.h>

static void check_files(const struct check *c, const struct policy_keyring *ring,
			const struct policy_certificate *certificate)
{
	const struct {
		const char *key, *value;
	} needed[] = { { "chain", certificate->chain }, { "key", certificate->key } };

	for (size_t i = 0; i < NELEM(needed); i++)
		if (needed[i].value == NULL)
			diags_add(c->diags, DIAG_ERROR, DIAG_MISSING_KEY, certificate->mark,
				  "keyrings \"%s\" needs a value for \"%s\"", ring->name, needed[i].key);
}

/* The file has the certificate and its key, under a label; one password is for all of it. */
static void check_in_pkcs12(const struct check *c, const struct policy_keyring *ring,
			    const struct policy_certificate *certificate)
{
	static const char *const keys[] = { "chain", "key", "password_file" };

	for (size_t i = 0; i < NELEM(keys); i++)
		if (check_is_given(c, certificate, keys[i]))
			check_error(c, DIAG_NO_EFFECT, certificate, keys[i],
				    "keyrings \"%s\" has its certificates in \"pkcs12\", so an entry of "
				    "\"certificates\" has no \"%s\"; %s",
				    ring->name, keys[i],
				    i < 2 ? "name the certificate with \"label\""
					  : "move it up to the key ring");
	if (ring->ncertificates > 1 && certificate->label == NULL)
		diags_add(c->diags, DIAG_ERROR, DIAG_MISSING_KEY, certificate->mark,
			  "keyrings \"%s\" shows several certificates of one file, so each needs a "
			  "\"label\"; attlsctl check names the labels of the file if one is wrong",
			  ring->name);
}

/* The PIN is a secret, and the policy is not. */
static void check_token(const struct check *c, const struct policy_certificate *certificate)
{
	static const char *const secret[] = { "pin-value=", "pin-source=" };

	if (!policy_key_is_in_token(certificate))
		return;
	for (size_t i = 0; i < NELEM(secret); i++)
		if (strstr(certificate->key, secret[i]) != NULL)
			diags_add(c->diags, DIAG_ERROR, DIAG_BAD_TOKEN_URI, certificate->key_mark,
				  "\"key\" must not have %s; write the PIN into a file, and name that in "
				  "\"password_file\"",
				  secret[i]);
	if (c->policy->daemon.key_isolation != KEY_ISOLATION_TRUE) {
		diags_add(c->diags, DIAG_ERROR, DIAG_BAD_TOKEN_URI, certificate->key_mark,
			  "workers cannot use a key in a token themselves; set \"key_isolation: true\" in "
			  "\"daemon\"");
		check_see(c, &c->policy->daemon, "key_isolation", "\"key_isolation\"");
	}
}

static void check_keyring(const struct check *c, const struct policy_keyring *ring)
{
	for (size_t i = 0; i < ring->ncertificates; i++)
		if (ring->pkcs12 != NULL)
			check_in_pkcs12(c, ring, &ring->certificates[i]);
		else
			check_files(c, ring, &ring->certificates[i]);
	for (size_t i = 0; i < ring->ncertificates; i++)
		check_token(c, &ring->certificates[i]);
	if (ring->pkcs12 != NULL)
		return;
	if (ring->password_file != NULL)
		check_error(
		    c, DIAG_NO_EFFECT, ring, "password_file",
		    "\"password_file\" of keyrings \"%s\" has no effect without \"pkcs12\"; the password "
		    "of a key in PEM belongs to its entry of \"certificates\"",
		    ring->name);
	if (ring->trust_pkcs12)
		check_error(
		    c, DIAG_NO_TRUST, ring, "trust",
		    "\"trust: pkcs12\" of keyrings \"%s\" needs \"pkcs12\"; add it, or write ./pkcs12 "
		    "for a file of this name",
		    ring->name);
}

void rule_keyring_check(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	for (size_t i = 0; i < policy->nkeyrings; i++)
		if (check_is_valid(&c, &policy->keyrings[i]))
			check_keyring(&c, &policy->keyrings[i]);
}
