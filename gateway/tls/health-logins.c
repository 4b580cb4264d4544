/*
 * Reads the password files of health checks, and refuses one that other users may read or
 * replace the content of. A worker reads them before it gives up its privileges.
 */
#include "gateway/tls/health-logins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/util.h"

/* z/OS password phrases have up to 100 characters. */
#define PASSWORD_MAX 128
#define WHY_MAX	     120

struct health_logins {
	size_t n;
	char **passwords; /* by place in policy.backends; NULL: none */
};

/* NULL: the file is good. */
static const char *judge_file(const struct stat *st, char text[static WHY_MAX])
{
	if (!S_ISREG(st->st_mode))
		return "it is not a file";
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		(void)snprintf(text, WHY_MAX, "it belongs to another user (%u); chown root",
			       (unsigned)st->st_uid);
		return text;
	}
	if ((st->st_mode & 077) != 0) {
		(void)snprintf(text, WHY_MAX, "its mode %03o lets other users at it; chmod 600",
			       (unsigned)st->st_mode & 0777);
		return text;
	}
	return NULL;
}

/* The first line without its end. NULL: *ret_why is set. */
static char *take_line(const char *buf, size_t n, const char **ret_why)
{
	size_t len = 0;
	char *password = NULL;

	while (len < n && buf[len] != '\n' && buf[len] != '\r' && buf[len] != '\0')
		len++;
	if (len == 0 || len > PASSWORD_MAX)
		*ret_why = "its first line must be a password of 1 to 128 characters";
	else if ((password = strndup(buf, len)) == NULL)
		*ret_why = strerror(ENOMEM);
	return password;
}

static char *read_password(const struct policy_health *health, struct diags *diags)
{
	int fd = open(health->password_file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char buf[PASSWORD_MAX + 2], text[WHY_MAX], *password = NULL;
	const char *why = NULL;
	struct stat st;
	ssize_t n;

	if (fd == -1 || fstat(fd, &st) == -1)
		why = strerror(errno);
	else
		why = judge_file(&st, text);
	if (why == NULL) {
		n = read(fd, buf, sizeof(buf));
		if (n == -1)
			why = strerror(errno);
		else
			password = take_line(buf, (size_t)n, &why);
		explicit_bzero(buf, sizeof(buf));
	}
	fd_close(&fd);
	if (why != NULL) {
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
	for (size_t i = 0; (*logins)->passwords != NULL && i < (*logins)->n; i++) {
		char *password = (*logins)->passwords[i];

		if (password != NULL)
			explicit_bzero(password, strlen(password));
		free(password);
	}
	free((*logins)->passwords);
	free(*logins);
	*logins = NULL;
}

const char *health_logins_password(const struct health_logins *logins, const struct policy_backend *backend)
{
	return backend->index < logins->n ? logins->passwords[backend->index] : NULL;
}
