/*
 * Connects to the socket of `login_check`. Whoever can put a socket at that path decides who logs
 * in. So every folder on the way must belong to root or to attlsd's user and be closed to others,
 * except that the last one may belong to the program that answers; and the program that listens
 * must run as one of these. The kernel says who that is (SO_PEERCRED).
 */
#include "gateway/host/login-socket.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/util.h"

static bool is_ours(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static bool others_write(const struct stat *st)
{
	return (st->st_mode & 022) != 0;
}

/*
 * One folder: `after_sticky`: the folder before it lets anybody make entries, so that the owner of
 * this one counts. In a sticky folder, nobody can replace what belongs to another user.
 */
static const char *why_exposed(const struct stat *st, bool last, bool after_sticky)
{
	if (!is_ours(st->st_uid) && (!last || after_sticky))
		return "belongs to another user: chown root";
	if (others_write(st) && (last || (st->st_mode & S_ISVTX) == 0))
		return "can be written by other users: chmod go-w";
	return NULL;
}

const char *login_socket_exposed(const char *path, uid_t *ret_owner, char buf[static LOGIN_SOCKET_WHY_MAX])
{
	char folder[PATH_MAX], real[PATH_MAX];
	const char *slash = strrchr(path, '/');
	bool after_sticky = false, last = false;
	struct stat st;

	(void)snprintf(folder, sizeof(folder), "%.*s/", slash != NULL ? (int)(slash - path) : 1,
		       slash != NULL ? path : ".");
	if (realpath(folder, real) == NULL) {
		(void)snprintf(buf, LOGIN_SOCKET_WHY_MAX, "the folder %.200s: %s", folder, strerror(errno));
		return buf;
	}
	for (size_t len = 1; !last; len++) {
		const char *why;

		if (len > 1 && real[len] != '/' && real[len] != '\0')
			continue;
		last = real[len] == '\0';
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)len, real);
		why = lstat(folder, &st) == -1 ? strerror(errno) : why_exposed(&st, last, after_sticky);
		if (why != NULL) {
			(void)snprintf(buf, LOGIN_SOCKET_WHY_MAX, "the folder %.200s %s", folder, why);
			return buf;
		}
		after_sticky = others_write(&st);
	}
	*ret_owner = st.st_uid;
	return NULL;
}

/* Who listens there: the user that the program had when it began to. */
static bool is_trusted(int fd, const char *path, uid_t folder_owner)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct stat st;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return false;
	if (is_ours(peer.uid) || peer.uid == folder_owner)
		return true;
	/* only root, attlsd's user and the owner of the folder can have made this file */
	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == peer.uid;
}

static const char *name_of(int error)
{
	switch (error) {
	case ENOENT:
		return "no-socket";
	case ECONNREFUSED:
		return "nobody-listens";
	case EACCES:
		return "no-permission";
	case EPROTOTYPE:
		return "not-seqpacket";
	case ENAMETOOLONG:
		return "path-too-long";
	default:
		return "connect-failed";
	}
}

int login_socket_connect(const char *path, const char **ret_why)
{
	char why[LOGIN_SOCKET_WHY_MAX];
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	uid_t owner;
	int fd = -1, r = 0;

	if (memccpy(to.sun_path, path, '\0', sizeof(to.sun_path)) == NULL) {
		*ret_why = name_of(ENAMETOOLONG);
		return -ENAMETOOLONG;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		r = errno == EMFILE || errno == ENFILE ? -EAGAIN : -errno; /* others are about to end */
	else if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == -1)
		r = -errno;
	*ret_why = r < 0 ? name_of(-r) : NULL;
	if (r == 0 && login_socket_exposed(path, &owner, why) != NULL) {
		*ret_why = "folder-exposed";
		r = -EPERM;
	}
	if (r == 0 && !is_trusted(fd, path, owner)) {
		*ret_why = "other-user";
		r = -EPERM;
	}
	if (r < 0)
		fd_close(&fd);
	return r < 0 ? r : fd;
}

/* What an administrator has to do about it. */
static const char *fix_of(int error)
{
	switch (error) {
	case ENOENT:
		return "there is no such socket; start the program that answers";
	case ECONNREFUSED:
		return "nobody listens at the socket; start the program that answers";
	case EACCES:
		return "attlsd may not write to the socket; chown root";
	case EPROTOTYPE:
		return "the socket is not of the type SOCK_SEQPACKET";
	case EPERM:
		return "a user listens there who is neither root nor the owner of the folder";
	default:
		return strerror(error);
	}
}

/* attlsd keeps no capability that would let root write to other users' files. */
static bool is_closed_to_root(const char *path)
{
	struct stat st;

	if (geteuid() != 0 || stat(path, &st) == -1)
		return false;
	return (st.st_mode & (st.st_uid == 0 ? S_IWUSR : S_IWOTH)) == 0;
}

const char *login_socket_fault(const char *path, char buf[static LOGIN_SOCKET_WHY_MAX])
{
	const char *why = NULL, *word;
	uid_t owner;
	int fd = login_socket_connect(path, &word);

	if (fd == -EAGAIN) /* it is busy, so somebody is there */
		return NULL;
	if (fd == -EPERM)
		why = login_socket_exposed(path, &owner, buf);
	if (fd >= 0)
		fd_close(&fd);
	else if (why == NULL && (fd != -EACCES || geteuid() == 0)) /* others learn nothing about attlsd */
		why = fix_of(-fd);
	return why == NULL && is_closed_to_root(path) ? fix_of(EACCES) : why;
}

void login_socket_check(const struct policy *policy, struct diags *diags)
{
	for (size_t i = 0; i < policy->nftp_actions; i++) {
		const struct ftp_action *ftp = &policy->ftp_actions[i];
		char buf[LOGIN_SOCKET_WHY_MAX];
		const char *why = ftp->login_check != NULL ? login_socket_fault(ftp->login_check, buf) : NULL;

		if (why != NULL)
			diags_add(diags, DIAG_WARNING, DIAG_LOGIN_CHECK_UNANSWERED,
				  policy_mark(policy, ftp, "login_check"),
				  "nobody can log in with \"login_check\" as it is: %s", why);
	}
}
