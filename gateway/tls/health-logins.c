/* Reads the password files of health checks. A worker does that before it gives up its privileges. */
#include "gateway/tls/health-logins.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/tls/password-file.h"

struct health_logins {
	size_t n;
	char **passwords; /* by place in policy.backends; NULL: none */
};

static char *read_password(const struct policy_health *health, struct diags *diags)
{
	char buf[PASSWORD_FILE_BYTES], *password = NULL;
	struct secret_file file;
	ssize_t n = secret_file_read(health->password_file, buf, sizeof(buf), &file);
	const char *why = file.why;

	if (n < 0 || password_file_take(buf, (size_t)n, &password, &why) < 0) {
		diags_add(diags, DIAG_ERROR, DIAG_BAD_PASSWORD_FILE, health->password_file_mark,
			  "cannot use the password file \"%s\" of health checks: %s", health->password_file,
			  why);
		diags_see(diags, health->password_file, (struct diag_mark){ 0 }, "the password");
	}
	return password;
}

int health_logins_load(const struct policy *policy, struct diags *diags, struct health_logins **ret_logins)
{
	struct health_logins *logins = calloc(1, sizeof(*logins));
	size_t errors = diags->nerrors;
	int r = -ENOMEM;

	if (logins == NULL)
		return r;
	logins->n = policy->nbackends;
	logins->passwords = calloc(policy->nbackends + 1, sizeof(*logins->passwords));
	if (logins->passwords == NULL)
		goto out;
	for (size_t i = 0; i < policy->nbackends; i++)
		if (policy->backends[i].health.password_file != NULL)
			logins->passwords[i] = read_password(&policy->backends[i].health, diags);
	r = diags->nerrors > errors ? -EINVAL : 0;
	if (r == 0) {
		*ret_logins = logins;
		logins = NULL;
	}
out:
	health_logins_free(&logins);
	return r;
}

void health_logins_free(struct health_logins **logins)
{
	if (*logins == NULL)
		return;
	for (size_t i = 0; (*logins)->passwords != NULL && i < (*logins)->n; i++)
		password_file_free(&(*logins)->passwords[i]);
	free((*logins)->passwords);
	free(*logins);
	*logins = NULL;
}

const char *health_logins_password(const struct health_logins *logins, const struct policy_backend *backend)
{
	return backend->index < logins->n ? logins->passwords[backend->index] : NULL;
}
