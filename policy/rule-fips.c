/*
 * What FIPS 140 does not approve, whichever module is loaded, and what Suite B (RFC 6460) leaves
 * no choice of. What the module itself lacks is found when attlsd loads the policy.
 */
#include "policy/rule-fips.h"

#include "policy/cipher.h"
#include "policy/nelem.h"
#include "policy/rule-check.h"

#include <stdbool.h>
#include <string.h>

/* Each name of a colon list. */
static void check_list(const struct check *c, const struct tls_action *tls, const char *key, const char *list)
{
	char name[64];

	for (const char *at = list; at != NULL && *at != '\0'; at += strspn(at, ":")) {
		size_t len = strcspn(at, ":");

		if (len < sizeof(name)) {
			memcpy(name, at, len);
			name[len] = '\0';
			if (!cipher_fips_approves(name)) {
				check_error(
				    c, DIAG_NOT_FIPS, tls, key,
				    "\"%s\" of tls_actions \"%s\": FIPS 140 does not approve %s; remove "
				    "it, or set \"fips140: false\" in \"daemon\"",
				    key, tls->name, name);
				check_see(c, &c->policy->daemon, "fips140", "\"fips140\"");
			}
		}
		at += len;
	}
}

static void check_fips(const struct check *c, const struct tls_action *tls)
{
	check_list(c, tls, "ciphers", tls->ciphers);
	check_list(c, tls, "ciphersuites", tls->ciphersuites);
	check_list(c, tls, "groups", tls->groups);
	check_list(c, tls, "signature_algorithms", tls->signature_algorithms);
}

static void check_suite_b(const struct check *c, const struct tls_action *tls)
{
	static const char *const fixed[] = { "ciphers", "ciphersuites", "groups", "signature_algorithms" };

	for (size_t i = 0; i < NELEM(fixed); i++)
		if (check_is_given(c, tls, fixed[i]))
			check_error(c, DIAG_ONE_OF_TWO, tls, fixed[i],
				    "give \"%s\" or \"suite_b_profile\", not both: the profile decides it",
				    fixed[i]);
	if ((tls->versions & POLICY_TLS1_3) != 0)
		check_error(
		    c, DIAG_NO_EFFECT, tls,
		    check_is_given(c, tls, "versions") ? "versions" : "suite_b_profile",
		    "\"suite_b_profile\" is defined for TLS 1.2 only (RFC 6460); add \"versions: tls1.2\"");
}

void rule_fips_check(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	for (size_t i = 0; i < policy->ntls_actions; i++) {
		const struct tls_action *tls = &policy->tls_actions[i];

		if (!check_is_valid(&c, tls))
			continue;
		if (policy->daemon.fips140)
			check_fips(&c, tls);
		if (tls->suite_b_profile != SUITE_B_OFF)
			check_suite_b(&c, tls);
	}
}
