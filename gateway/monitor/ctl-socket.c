/*
 * Makes the socket file of control_socket. The care is for what may be there
 * already: the file of a dead attlsd, that of a running one, or a file that is not
 * ours at all.
 */
#include "gateway/monitor/ctl-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/host/bounded-close.h"

/* Connections that wait for the monitor to accept them. */
#define BACKLOG 8

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	return address;
}

static int make(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd == -1 ? -errno : fd;
}

static int bind_to(int fd, const char *path)
{
	struct sockaddr_un address = address_of(path);
	mode_t before = umask(0177); /* the file must never be open to others, not even for a moment */
	int r = bind(fd, (const struct sockaddr *)&address, sizeof(address)) == -1 ? -errno : 0;

	(void)umask(before);
	return r;
}

/*
 * The file is its owner's alone until it has the group. The group of the file system's
 * checks changes for a moment: root then needs CAP_SETGID, which it has, and no CAP_CHOWN.
 */
static int share(const char *path, gid_t gid)
{
	int before = setfsgid(gid);
	int r = lchown(path, (uid_t)-1, gid) == -1 ? -errno : 0;

	(void)setfsgid((gid_t)before); /* cannot fail: it is the effective group */
	if (r == 0 && fchmodat(AT_FDCWD, path, 0660, AT_SYMLINK_NOFOLLOW) == -1)
		r = -errno;
	return r;
}

/* Remove a socket of ours on which nobody listens any more. */
static int remove_stale(const char *path, int type)
{
	struct sockaddr_un address = address_of(path);
	struct stat st;
	int fd;
	int error;

	if (lstat(path, &st) == -1)
		return -errno;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return -EEXIST;
	fd = make(type);
	if (fd < 0)
		return fd;
	error = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == -1 ? errno : 0;
	fd_close(&fd);
	if (error == ECONNREFUSED)
		return unlink(path) == -1 ? -errno : 0;
	return error == EPROTOTYPE ? -EEXIST : -EADDRINUSE;
}

/*
 * Two attlsd that start at the same time must not take each other's file for a stale
 * one, so a lock on the folder lets only one at a time make sockets there. Any
 * process that may read the folder can hold this lock, so after a few tries attlsd
 * goes on without it. Returns -1 if the folder cannot be opened: then no file can be
 * made there either.
 */
#define LOCK_TRIES    20
#define LOCK_PAUSE_NS (5 * 1000 * 1000)

static int lock_folder(const char *path)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
	struct sockaddr_un address = address_of(path);
	int fd = open(dirname(address.sun_path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; fd != -1 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) == -1; i++)
		(void)nanosleep(&pause, NULL);
	return fd;
}

static int listen_locked(struct ctl_socket *sock, const char *path, int type, const unsigned *gid)
{
	struct stat st;
	int fd = make(type);
	int r;

	if (fd < 0)
		return fd;
	r = bind_to(fd, path);
	if (r == -EADDRINUSE) {
		r = remove_stale(path, type);
		if (r == 0)
			r = bind_to(fd, path);
	}
	if (r == 0 && gid != NULL)
		r = share(path, *gid);
	if (r == 0 && (listen(fd, BACKLOG) == -1 || lstat(path, &st) == -1))
		r = -errno;
	if (r < 0) {
		fd_close(&fd);
		return r;
	}
	sock->dev = st.st_dev;
	sock->ino = st.st_ino;
	(void)strncpy(sock->path, path, sizeof(sock->path) - 1);
	sock->fd = fd;
	return 0;
}

static int listen_at(struct ctl_socket *sock, const char *path, int type, const unsigned *gid)
{
	int lock = lock_folder(path);
	int r = listen_locked(sock, path, type, gid);

	fd_close(&lock);
	return r;
}

/* Say what the operator can do about the error. */
static void put_reason(int error, const char *path, char buf[static CTL_SOCKET_REASON_MAX])
{
	struct sockaddr_un address = address_of(path);
	const char *what = strerror(error);

	if (error == ENOENT) {
		(void)snprintf(buf, CTL_SOCKET_REASON_MAX,
			       "its folder does not exist; create it: install -d -m 700 '%s'",
			       dirname(address.sun_path));
		return;
	}
	if (error == EACCES || error == EPERM || error == EROFS)
		what = "attlsd may not write to its folder; make the user that starts attlsd its owner";
	else if (error == EADDRINUSE)
		what = "another attlsd listens on it; give each attlsd its own path";
	else if (error == EEXIST)
		what = "a file that is not a socket of this user is in the way; remove it, or choose another "
		       "path";
	(void)snprintf(buf, CTL_SOCKET_REASON_MAX, "%s", what);
}

/* Returns 1: it has been passed; 0: it has not; or a negative errno and why it cannot be used. */
static int take_passed(struct ctl_socket *sock, const struct activated *activated, const char *path, int type,
		       const unsigned *gid, char ret_reason[static CTL_SOCKET_REASON_MAX])
{
	struct stat st;
	int fd = activated_take_path(activated, path, type, gid, ret_reason);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (lstat(path, &st) == -1)
		st = (struct stat){ .st_ino = 0 }; /* somebody has removed the file meanwhile */
	*sock = (struct ctl_socket){ .fd = fd, .activated = true, .dev = st.st_dev, .ino = st.st_ino };
	(void)strncpy(sock->path, path, sizeof(sock->path) - 1);
	ctl_socket_change_group(sock, gid);
	return 1;
}

int ctl_socket_listen(struct ctl_socket *ret, const struct activated *activated, const char *path, int type,
		      const unsigned *gid, char ret_reason[static CTL_SOCKET_REASON_MAX])
{
	int r;

	*ret = CTL_SOCKET_NONE;
	r = take_passed(ret, activated, path, type, gid, ret_reason);
	if (r != 0)
		return r < 0 ? r : 0;
	r = listen_at(ret, path, type, gid);
	if (r < 0)
		put_reason(-r, path, ret_reason);
	return r;
}

int ctl_socket_open(struct ctl_socket *ret, const struct activated *activated,
		    const struct policy_daemon *daemon, const unsigned *gid, const struct diags *source)
{
	char reason[CTL_SOCKET_REASON_MAX];
	struct diags diags;
	int r;

	*ret = CTL_SOCKET_NONE;
	if (daemon->control_socket == NULL)
		return 0;
	r = ctl_socket_listen(ret, activated, daemon->control_socket, SOCK_SEQPACKET, gid, reason);
	if (r == 0)
		return 0;
	/* the default path: not an error, but attlsctl cannot ask this attlsd */
	if (!daemon->control_socket_given) {
		log_event(LOG_LEVEL_WARNING, "no-control-socket", LOG_TEXT("path", daemon->control_socket),
			  LOG_TEXT("reason", reason));
		return 0;
	}
	if (diags_init(&diags, source->file, source->source, source->source_len) < 0)
		return -ENOMEM;
	diags_add(&diags, DIAG_ERROR, DIAG_FILE_UNWRITABLE, daemon->control_socket_mark,
		  "control_socket cannot be \"%s\": %s", daemon->control_socket, reason);
	log_diags(&diags);
	diags_done(&diags);
	return r;
}

void ctl_socket_change_group(const struct ctl_socket *sock, const unsigned *gid)
{
	struct stat st;
	int r = 0;

	if (!ctl_socket_is_at(sock, sock->path) || lstat(sock->path, &st) == -1)
		return; /* whoever removed it has no use for a group */
	if (gid != NULL ? (st.st_mode & 0777) == 0660 && st.st_gid == *gid : (st.st_mode & 0777) == 0600)
		return;
	if (fchmodat(AT_FDCWD, sock->path, 0600, AT_SYMLINK_NOFOLLOW) == -1)
		r = -errno;
	else if (gid != NULL)
		r = share(sock->path, *gid);
	if (r < 0)
		log_event(LOG_LEVEL_WARNING, "control-group-failed", LOG_TEXT("path", sock->path),
			  LOG_TEXT("error", strerror(-r)));
}

bool ctl_socket_is_at(const struct ctl_socket *sock, const char *path)
{
	struct stat st;

	return sock->fd != -1 && lstat(path, &st) == 0 && st.st_dev == sock->dev && st.st_ino == sock->ino;
}

void ctl_socket_close(struct ctl_socket *sock)
{
	if (!sock->activated && !sock->shared && ctl_socket_is_at(sock, sock->path))
		(void)unlink(sock->path); /* otherwise the next attlsd finds that nobody listens on it */
	bounded_close(&sock->fd);	  /* nobody has read what waits there */
}

void ctl_socket_leave(struct ctl_socket *sock)
{
	fd_close(&sock->fd);
	*sock = CTL_SOCKET_NONE;
}
