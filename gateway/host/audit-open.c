/* Opens the audit trail and the xferlog, and says in words why that fails. */
#include "gateway/host/audit-open.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/util.h"

/* Bursts of events wait here while the reader is busy. */
#define SEND_BYTES (4 * 1024 * 1024)
#define FILE_MODE  0600

static const char not_a_file[] = "it is not a regular file";

const char *audit_open_path(const struct policy_daemon *daemon)
{
	switch (policy_audit_kind(daemon)) {
	case AUDIT_NONE:
		break;
	case AUDIT_FILE:
		return daemon->audit;
	case AUDIT_SYSLOG:
		return AUDIT_SYSLOG_SOCKET;
	case AUDIT_JOURNAL:
		return AUDIT_JOURNAL_SOCKET;
	}
	return NULL;
}

static int failed(int error, const char **ret_why)
{
	if (ret_why != NULL)
		*ret_why = strerror(error);
	return error == EPERM ? -EACCES : -error; /* -1 says that there is nothing to open */
}

/* A FIFO could block, a terminal could act on what is written, and a device loses it. */
static int open_file(const char *path, const char **ret_why)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, FILE_MODE);

	if (fd == -1)
		return failed(errno, ret_why);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	fd_close(&fd);
	if (ret_why != NULL)
		*ret_why = not_a_file;
	return -EINVAL;
}

static int open_socket(const char *path, const char **ret_why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int size = SEND_BYTES;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd == -1)
		return failed(errno, ret_why);
	(void)strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	/* without privilege the kernel allows less */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno;
	fd_close(&fd);
	return failed(error, ret_why);
}

int audit_open(const struct policy_daemon *daemon, const char **ret_why)
{
	const char *path = audit_open_path(daemon);

	if (path == NULL)
		return -1;
	return policy_audit_kind(daemon) == AUDIT_FILE ? open_file(path, ret_why)
						       : open_socket(path, ret_why);
}

int audit_open_xferlog(const struct policy_daemon *daemon, const char **ret_why)
{
	return daemon->xferlog == NULL ? -1 : open_file(daemon->xferlog, ret_why);
}

/* The folder of a file, in buf, if it is not there; NULL: it is, or nobody can tell. */
static const char *missing_folder(const char *path, char buf[static PATH_MAX])
{
	const char *folder;
	struct stat st;

	(void)snprintf(buf, PATH_MAX, "%s", path);
	folder = dirname(buf);
	return stat(folder, &st) == -1 && errno == ENOENT ? folder : NULL;
}

/* Those of other programs, whose folders nobody has to create. */
static bool is_socket(const char *path)
{
	return strcmp(path, AUDIT_SYSLOG_SOCKET) == 0 || strcmp(path, AUDIT_JOURNAL_SOCKET) == 0;
}

void audit_open_fault(struct diags *diags, struct diag_mark mark, const char *key, const char *path,
		      const char *why)
{
	char buf[PATH_MAX];
	const char *folder = is_socket(path) ? NULL : missing_folder(path, buf);

	if (folder == NULL)
		diags_add(diags, DIAG_ERROR, DIAG_FILE_UNWRITABLE, mark, "\"%s\" cannot be written: %s: %s",
			  key, path, why);
	else
		diags_add(diags, DIAG_ERROR, DIAG_FILE_UNWRITABLE, mark,
			  "\"%s\" cannot be written: %s: its folder does not exist; create it: "
			  "install -d -m 700 '%s'",
			  key, path, folder);
}

/* Returns NULL, or what is wrong with the place of a file. */
static const char *fault_of_file(const char *path)
{
	char folder[PATH_MAX];
	struct statvfs fs;
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return not_a_file;
	if (stat(path, &st) == -1 && (errno == ENOTDIR || errno == ELOOP))
		return strerror(errno);
	if (missing_folder(path, folder) != NULL)
		return strerror(ENOENT);
	(void)snprintf(folder, sizeof(folder), "%s", path);
	if (statvfs(dirname(folder), &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0)
		return strerror(EROFS);
	return NULL;
}

static const char *fault_of_socket(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return errno == ENOENT ? "nothing listens there" : NULL;
	return S_ISSOCK(st.st_mode) ? NULL : "it is not a socket";
}

int audit_open_check(const struct policy_daemon *daemon, struct diags *diags)
{
	const char *path = audit_open_path(daemon);
	const char *why = NULL;
	size_t errors = diags->nerrors;

	if (path != NULL)
		why = policy_audit_kind(daemon) == AUDIT_FILE ? fault_of_file(path) : fault_of_socket(path);
	if (why != NULL)
		audit_open_fault(diags, daemon->audit_mark, "audit", path, why);
	why = daemon->xferlog != NULL ? fault_of_file(daemon->xferlog) : NULL;
	if (why != NULL)
		audit_open_fault(diags, daemon->xferlog_mark, "xferlog", daemon->xferlog, why);
	return diags->nerrors > errors ? -EINVAL : 0;
}
