/*
 * Loads the users of the policy: certificates, services and password files.
 * Passwords are wiped when the policy is freed.
 */
#include "gateway/tls/users.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/tls/password-file.h"

struct users {
	const struct policy *policy;
	struct identity_users *certificates;
	char **passwords; /* by place in the policy; NULL: none */
};

/* A file that others can read is only warned of: policies with such files have always been good. */
static char *read_password(const struct policy_user *user, struct diags *diags)
{
	char buf[PASSWORD_FILE_BYTES], *password = NULL;
	struct secret_file file;
	ssize_t n = secret_file_read_exposed(user->password_file, buf, sizeof(buf), &file);
	const char *why;

	if (n < 0) {
		diags_add(diags, DIAG_ERROR, DIAG_FILE_UNREADABLE, user->password_file_mark,
			  "cannot read the password file \"%s\": %s", user->password_file, file.why);
	} else if (password_file_take(buf, (size_t)n, &password, &why) < 0) {
		diags_add(diags, DIAG_ERROR, DIAG_BAD_PASSWORD_FILE, user->password_file_mark,
			  "cannot use the password file \"%s\": %s", user->password_file, why);
		diags_see(diags, user->password_file, (struct diag_mark){ .line = 1, .column = 1 },
			  "the password");
	} else if (file.why[0] != '\0') {
		diags_add(diags, DIAG_WARNING, DIAG_BAD_PASSWORD_FILE, user->password_file_mark,
			  "the password file \"%s\" is not secret: %s", user->password_file, file.why);
	}
	return password;
}

int users_load(const struct policy *policy, struct diags *diags, struct users **ret_users)
{
	struct users *users = calloc(1, sizeof(*users));
	size_t errors = diags->nerrors;
	int r = -ENOMEM;

	if (users == NULL)
		return -ENOMEM;
	users->policy = policy;
	users->passwords = calloc(policy->nusers + 1, sizeof(*users->passwords));
	if (users->passwords == NULL)
		goto out;
	r = identity_users_load(policy, diags, &users->certificates);
	for (size_t i = 0; r == 0 && i < policy->nusers; i++)
		if (policy->users[i].password_file != NULL)
			users->passwords[i] = read_password(&policy->users[i], diags);
	if (r == 0 && diags->nerrors > errors)
		r = -EINVAL;
	if (r == 0) {
		*ret_users = users;
		users = NULL;
	}
out:
	users_free(&users);
	return r;
}

void users_free(struct users **users)
{
	if (*users == NULL)
		return;
	for (size_t i = 0; (*users)->passwords != NULL && i < (*users)->policy->nusers; i++)
		password_file_free(&(*users)->passwords[i]);
	free((*users)->passwords);
	identity_users_free(&(*users)->certificates);
	free(*users);
	*users = NULL;
}

static bool may_use(const struct policy_user *user, const struct policy_backend *backend)
{
	for (size_t i = 0; i < user->nservices; i++)
		if (user->services[i] == backend)
			return true;
	return user->nservices == 0;
}

bool users_identify(const struct users *users, const struct identity *identity,
		    const struct policy_backend *backend, struct ftp_identity *ret,
		    const struct policy_user **ret_user)
{
	bool several;
	const struct policy_user *user = identity_users_find(users->certificates, identity, &several);

	*ret_user = user;
	ret->certificate = identity->present && identity->verified;
	ret->user = user != NULL ? user->name : NULL;
	ret->service = user != NULL && may_use(user, backend);
	ret->password = user != NULL ? users->passwords[user - users->policy->users] : NULL;
	return !several;
}

static const struct policy_user *find_principal(const struct policy *policy, const char *principal)
{
	for (size_t i = 0; i < policy->nusers; i++)
		for (size_t j = 0; j < policy->users[i].nprincipals; j++)
			if (strcmp(policy->users[i].principals[j], principal) == 0)
				return &policy->users[i];
	return NULL;
}

void users_identify_principal(const struct users *users, const char *principal,
			      const struct policy_backend *backend, struct ftp_identity *ret)
{
	const struct policy_user *user = find_principal(users->policy, principal);

	ret->user = user != NULL ? user->name : NULL;
	ret->service = user != NULL && may_use(user, backend);
	ret->password = user != NULL ? users->passwords[user - users->policy->users] : NULL;
}

void users_check(const struct users *users, const struct tlsctx_set *set, struct diags *diags)
{
	identity_users_check(users->certificates, users->policy, set, diags);
}
