/*
 * Checks of the users of a policy across objects: rules that admit nobody because no
 * user fits, and keys of users that no rule asks for.
 */
#include "policy/rule-users.h"

#include "policy/rule-check.h"

#include <stdbool.h>

static bool may_use(const struct policy_user *user, const struct policy_backend *backend)
{
	for (size_t i = 0; i < user->nservices; i++)
		if (user->services[i] == backend)
			return true;
	return user->nservices == 0;
}

/*
 * May a user log in to this backend through an action with these EXTENSIONS, with a
 * certificate or a principal if need be? A user with a fault counts.
 */
static bool has_user(const struct check *c, const struct policy_backend *backend, bool known,
		     unsigned extensions)
{
	for (size_t i = 0; i < c->policy->nusers; i++) {
		const struct policy_user *user = &c->policy->users[i];

		if (!check_is_valid(c, user))
			return true;
		if ((!known || user->ncertificates > 0 ||
		     (user->nprincipals > 0 && (extensions & EXTENSION_AUTH_GSSAPI) != 0)) &&
		    may_use(user, backend))
			return true;
	}
	return false;
}

/* Rules that ask for users of the policy, where there are none. */
static void check_admits(const struct check *c, const struct policy_rule *rule)
{
	bool verify = rule->ftp->secure_login == SECURE_LOGIN_VERIFY_USER;
	bool some = !verify && ftp_action_strictest_login(rule->ftp) == SECURE_LOGIN_VERIFY_USER;

	if (some && !has_user(c, rule->backend, true, rule->ftp->extensions)) {
		check_error(
		    c, DIAG_NO_LOGIN, rule, "ftp",
		    "rules \"%s\" admits nobody with \"secure_login: verify_user\" in \"per_user\" of ftp_actions "
		    "\"%s\": no entry of \"users\" has \"certificates\" and may use backends \"%s\"; add one",
		    rule->name, rule->ftp->name, rule->backend->name);
		check_see(c, rule->ftp, "per_user", "ftp_actions \"%s\"", rule->ftp->name);
	}
	if (verify && !has_user(c, rule->backend, true, rule->ftp->extensions)) {
		check_error(
		    c, DIAG_NO_LOGIN, rule, "ftp",
		    "rules \"%s\" admits nobody: \"secure_login\" of ftp_actions \"%s\" is verify_user, but "
		    "no entry of \"users\" has \"certificates\" and may use backends \"%s\"; add one",
		    rule->name, rule->ftp->name, rule->backend->name);
		check_see(c, rule->ftp, "secure_login", "ftp_actions \"%s\"", rule->ftp->name);
	} else if (rule->ftp->verifyuser && !has_user(c, rule->backend, false, rule->ftp->extensions)) {
		check_error(
		    c, DIAG_NO_LOGIN, rule, "ftp",
		    "rules \"%s\" admits nobody: \"verifyuser\" of ftp_actions \"%s\" is true, but no entry "
		    "of \"users\" may use backends \"%s\"; add one",
		    rule->name, rule->ftp->name, rule->backend->name);
		check_see(c, rule->ftp, "verifyuser", "ftp_actions \"%s\"", rule->ftp->name);
	}
}

/* Does a rule ask which services a user has? */
static bool services_matter(const struct check *c, const struct policy_user *user)
{
	for (size_t i = 0; i < c->policy->nrules; i++) {
		const struct ftp_action *ftp = c->policy->rules[i].ftp;

		if (!check_is_valid(c, ftp) || ftp->verifyuser ||
		    ftp_action_strictest_login(ftp) == SECURE_LOGIN_VERIFY_USER)
			return true;
		if ((ftp->secure_password == SECURE_PASSWORD_OPTIONAL ||
		     ftp->secure_password_kerberos == SECURE_PASSWORD_OPTIONAL) &&
		    user->password_file != NULL)
			return true;
	}
	return c->policy->nrules == 0;
}

static bool names_nothing(const struct policy_user_certificate *certificate)
{
	for (size_t i = 0; i < CERTIFICATE_PARTS; i++)
		if (certificate->text[i] != NULL)
			return false;
	return true;
}

static void check_user(const struct check *c, const struct policy_user *user)
{
	for (size_t i = 0; i < user->ncertificates; i++)
		if (names_nothing(&user->certificates[i]))
			diags_add(c->diags, DIAG_ERROR, DIAG_EMPTY_ENTRY, user->certificates[i].mark,
				  "an entry of \"certificates\" of users \"%s\" is empty; give it subject, "
				  "issuer, serial, sha256 or san (attlsctl certificate FILE prints them)",
				  user->name);
	if (user->nservices > 0 && !services_matter(c, user))
		check_error(
		    c, DIAG_NO_EFFECT, user, "services",
		    "\"services\" of users \"%s\" has no effect: no rule asks who the user is; set "
		    "\"verifyuser: true\" or \"secure_login: verify_user\" in its ftp_actions, or remove it",
		    user->name);
}

void rule_users_check(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (check_is_valid(&c, rule) && check_is_valid(&c, rule->ftp) &&
		    check_is_valid(&c, rule->backend))
			check_admits(&c, rule);
	}
	for (size_t i = 0; i < policy->nusers; i++)
		if (check_is_valid(&c, &policy->users[i]))
			check_user(&c, &policy->users[i]);
}
