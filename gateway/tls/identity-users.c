/*
 * Finds the user of the policy that a client's certificate belongs to. A certificate
 * belongs to one user: one that matches entries of two belongs to nobody.
 */
#include "gateway/tls/identity-users.h"

#include <errno.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "gateway/tls/identity-entry.h"
#include "gateway/tls/tlsctx.h"
#include "gateway/tls/trust.h"

struct known {
	struct identity_entry *entry;
	const struct policy_user *user;
	const struct policy_user_certificate *certificate;
};

struct identity_users {
	struct known *known;
	size_t n;
};

static void refuse_twins(const struct identity_users *users, const struct known *last, struct diags *diags)
{
	for (size_t i = 0; i < users->n; i++) {
		const struct known *other = &users->known[i];

		if (other->user == last->user || (!identity_entry_covers(other->entry, last->entry) &&
						  !identity_entry_covers(last->entry, other->entry)))
			continue;
		diags_add(
		    diags, DIAG_ERROR, DIAG_TWO_USERS, last->certificate->mark,
		    "entries of \"certificates\" of users \"%s\" and \"%s\" match the same certificates; "
		    "each certificate must belong to one user",
		    other->user->name, last->user->name);
		diags_see(diags, NULL, other->certificate->mark, "the same certificate of users \"%s\"",
			  other->user->name);
		return;
	}
}

static int load_entry(struct identity_users *users, const struct policy_user *user,
		      const struct policy_user_certificate *certificate, struct diags *diags)
{
	struct known known = { .user = user, .certificate = certificate };
	int r = identity_entry_make(user, certificate, diags, &known.entry);

	if (r < 0 || known.entry == NULL)
		return r;
	refuse_twins(users, &known, diags);
	users->known[users->n++] = known;
	return 0;
}

int identity_users_load(const struct policy *policy, struct diags *diags, struct identity_users **ret_users)
{
	struct identity_users *users = calloc(1, sizeof(*users));
	size_t total = 0;
	int r = -ENOMEM;

	for (size_t i = 0; i < policy->nusers; i++)
		total += policy->users[i].ncertificates;
	if (users != NULL)
		users->known = calloc(total + 1, sizeof(*users->known));
	if (users == NULL || users->known == NULL)
		goto out;
	r = 0;
	for (size_t i = 0; i < policy->nusers && r == 0; i++) {
		const struct policy_user *user = &policy->users[i];

		for (size_t j = 0; j < user->ncertificates && r == 0; j++)
			r = load_entry(users, user, &user->certificates[j], diags);
	}
	if (r == 0) {
		*ret_users = users;
		users = NULL;
	}
out:
	identity_users_free(&users);
	return r;
}

void identity_users_free(struct identity_users **users)
{
	if (*users == NULL)
		return;
	for (size_t i = 0; i < (*users)->n; i++)
		identity_entry_free(&(*users)->known[i].entry);
	free((*users)->known);
	free(*users);
	*users = NULL;
}

/* Does it matter to this action, for any user or path, who the owner of a certificate is? */
static bool asks_for_owner(const struct ftp_action *ftp)
{
	for (size_t i = 0; i < ftp->naccess; i++)
		if (ftp->access[i].certificates.n > 0)
			return true;
	return ftp_action_strictest_login(ftp) != SECURE_LOGIN_NO_CLIENT_AUTH;
}

/* Do rules of this key ring ask who the owner of a certificate is? */
static bool maps_users(const struct policy *policy, const struct policy_keyring *ring)
{
	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (rule->tls == NULL || rule->tls->keyring != ring ||
		    rule->tls->role != ROLE_SERVER_WITH_CLIENT_AUTH)
			continue;
		if (asks_for_owner(rule->ftp) || rule->tls->client_auth_type == CLIENT_AUTH_SAFCHECK)
			return true;
	}
	return false;
}

/* May anyone with this ring and another authority make a certificate that the entry takes for the user's? */
static void check_entry(const struct known *known, const struct policy_keyring *ring,
			const struct trust *trust, struct diags *diags)
{
	const X509_NAME *issuer = identity_entry_issuer(known->entry);

	if (known->certificate->text[CERTIFICATE_SHA256] != NULL)
		return;
	if (issuer == NULL)
		diags_add(
		    diags, DIAG_ERROR, DIAG_ANY_AUTHORITY, known->certificate->mark,
		    "\"trust\" of keyrings \"%s\" has more than one authority, and each of them can make a "
		    "certificate that this entry of users \"%s\" matches; add \"issuer\" or \"sha256\" "
		    "(attlsctl certificate FILE prints them)",
		    ring->name, known->user->name);
	else if (!trust_has(trust, issuer))
		diags_add(
		    diags, DIAG_ERROR, DIAG_UNKNOWN_ISSUER, known->certificate->marks[CERTIFICATE_ISSUER],
		    "\"trust\" of keyrings \"%s\" has more than one authority, but not this \"issuer\" of "
		    "users \"%s\"; add its certificate to \"trust\", or name the root of its chain",
		    ring->name, known->user->name);
}

void identity_users_check(const struct identity_users *users, const struct policy *policy,
			  const struct tlsctx_set *set, struct diags *diags)
{
	for (size_t i = 0; i < policy->nkeyrings; i++) {
		const struct policy_keyring *ring = &policy->keyrings[i];
		const struct trust *trust = tlsctx_set_trust(set, i);

		for (size_t j = 0; j < users->n && maps_users(policy, ring) && trust_has_several(trust); j++)
			check_entry(&users->known[j], ring, trust, diags);
	}
}

const struct policy_user *identity_users_find(const struct identity_users *users,
					      const struct identity *identity, bool *ret_several)
{
	const struct policy_user *found = NULL;

	*ret_several = false;
	for (size_t i = 0; i < users->n && identity->verified; i++) {
		const struct known *known = &users->known[i];

		if (known->user == found || !identity_entry_matches(known->entry, identity))
			continue;
		*ret_several = found != NULL;
		if (*ret_several)
			return NULL;
		found = known->user;
	}
	return found;
}
