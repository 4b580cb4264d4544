/*
 * Checks and warnings about AUTH GSSAPI: a keytab, the principals of users, and their
 * passwords at the server.
 */
#include "policy/rule-kerberos.h"

#include <string.h>

#include "policy/rule-check.h"

static bool offers_gssapi(const struct ftp_action *ftp)
{
	return (ftp->extensions & EXTENSION_AUTH_GSSAPI) != 0;
}

static bool anybody_offers_gssapi(const struct check *c)
{
	for (size_t i = 0; i < c->policy->nftp_actions; i++)
		if (!check_is_valid(c, &c->policy->ftp_actions[i]) ||
		    offers_gssapi(&c->policy->ftp_actions[i]))
			return true;
	return false;
}

/* Is there a user whose ticket may replace the password? A user with a fault counts. */
static bool has_stored_password(const struct check *c)
{
	for (size_t i = 0; i < c->policy->nusers; i++) {
		const struct policy_user *user = &c->policy->users[i];

		if (!check_is_valid(c, user) || (user->nprincipals > 0 && user->password_file != NULL))
			return true;
	}
	return false;
}

static void check_ftp_action(const struct check *c, const struct ftp_action *ftp)
{
	bool optional = ftp->secure_password_kerberos == SECURE_PASSWORD_OPTIONAL;

	if (offers_gssapi(ftp) && c->policy->daemon.keytab == NULL)
		check_error(c, DIAG_NO_KEYTAB, ftp, "extensions",
			    "\"extensions\" of ftp_actions \"%s\" has auth_gssapi, which needs the keys of "
			    "this service; add \"keytab\" to \"daemon\"",
			    ftp->name);
	if (optional && !offers_gssapi(ftp))
		check_error(c, DIAG_SECURE_PASSWORD, ftp, "secure_password_kerberos",
			    "\"secure_password_kerberos\" can only be optional if \"extensions\" has "
			    "auth_gssapi");
	else if (optional && !has_stored_password(c))
		check_error(c, DIAG_SECURE_PASSWORD, ftp, "secure_password_kerberos",
			    "\"secure_password_kerberos\" can only be optional if an entry of \"users\" has "
			    "\"principals\" and a \"password_file\"");
	if (check_is_given(c, ftp, "secure_pbsz") && !offers_gssapi(ftp))
		check_warn(c, DIAG_NO_EFFECT, ftp, "secure_pbsz",
			   "\"secure_pbsz\" has no effect unless \"extensions\" has auth_gssapi");
}

static bool has_principal(const struct policy_user *user, const char *principal)
{
	for (size_t i = 0; i < user->nprincipals; i++)
		if (strcmp(user->principals[i], principal) == 0)
			return true;
	return false;
}

/* A principal that belongs to two users would belong to neither. */
static void check_twins(const struct check *c, size_t index)
{
	const struct policy_user *user = &c->policy->users[index];

	for (size_t i = 0; i < index; i++)
		for (size_t j = 0; j < user->nprincipals; j++)
			if (check_is_valid(c, &c->policy->users[i]) &&
			    has_principal(&c->policy->users[i], user->principals[j])) {
				check_error(c, DIAG_TWO_USERS, user, "principals",
					    "\"principals\" of users \"%s\" and \"%s\" both have %s; each "
					    "principal must belong to one user",
					    c->policy->users[i].name, user->name, user->principals[j]);
				return;
			}
}

void rule_kerberos_check(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };
	bool offered = anybody_offers_gssapi(&c);

	for (size_t i = 0; i < policy->nftp_actions; i++)
		if (check_is_valid(&c, &policy->ftp_actions[i]))
			check_ftp_action(&c, &policy->ftp_actions[i]);
	if (policy->daemon.keytab != NULL && !offered)
		check_warn(&c, DIAG_NO_EFFECT, &policy->daemon, "keytab",
			   "\"keytab\" has no effect: no ftp_actions has auth_gssapi in its \"extensions\"");
	for (size_t i = 0; i < policy->nusers; i++) {
		const struct policy_user *user = &policy->users[i];

		if (!check_is_valid(&c, user))
			continue;
		check_twins(&c, i);
		if (user->nprincipals > 0 && !offered)
			check_warn(&c, DIAG_NO_EFFECT, user, "principals",
				   "\"principals\" has no effect: no ftp_actions has auth_gssapi in its "
				   "\"extensions\"");
	}
}
