/*
 * Loads the users of the policy: certificates, services and password files.
 * Passwords are wiped when the policy is freed.
 */
#include "gateway/tls/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/util.h"

/* z/OS password phrases have up to 100 characters. */
#define PASSWORD_MAX 128

struct users {
	const struct policy *policy;
	struct identity_users *certificates;
	char **passwords; /* by place in the policy; NULL: none */
};

/* The first line of the file, without its end. */
static char *read_password(const struct policy_user *user, struct diags *diags)
{
	char buf[PASSWORD_MAX + 2];
	int fd = open(user->password_file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : read(fd, buf, sizeof(buf));
	size_t len = 0;
	char *password = NULL;

	if (n == -1) {
		diags_add(diags, DIAG_ERROR, DIAG_FILE_UNREADABLE, user->password_file_mark,
			  "cannot read the password file \"%s\": %s", user->password_file, strerror(errno));
		fd_close(&fd);
		return NULL;
	}
	fd_close(&fd);
	while (len < (size_t)n && buf[len] != '\n' && buf[len] != '\r' && buf[len] != '\0')
		len++;
	if (len == 0 || len > PASSWORD_MAX) {
		diags_add(diags, DIAG_ERROR, DIAG_BAD_PASSWORD_FILE, user->password_file_mark,
			  "\"%s\" must hold a password of 1 to %d characters in its first line",
			  user->password_file, PASSWORD_MAX);
		diags_see(diags, user->password_file, (struct diag_mark){ .line = 1, .column = 1 },
			  "the password");
	} else {
		password = strndup(buf, len);
	}
	explicit_bzero(buf, sizeof(buf));
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
	for (size_t i = 0; (*users)->passwords != NULL && i < (*users)->policy->nusers; i++) {
		char *password = (*users)->passwords[i];

		if (password != NULL)
			explicit_bzero(password, strlen(password));
		free(password);
	}
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

void users_check(const struct users *users, const struct tlsctx_set *set, struct diags *diags)
{
	identity_users_check(users->certificates, users->policy, set, diags);
}
