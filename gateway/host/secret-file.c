/*
 * Reads a file with a secret, and says whether other users can read it or replace its content.
 * Opening it must not wait for the writer of a named pipe.
 */
#include "gateway/host/secret-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/util.h"

static bool is_exposed(const struct stat *st, char why[static SECRET_FILE_WHY_MAX])
{
	if (!S_ISREG(st->st_mode))
		(void)snprintf(why, SECRET_FILE_WHY_MAX, "it is not a file");
	else if (st->st_uid != 0 && st->st_uid != geteuid())
		(void)snprintf(why, SECRET_FILE_WHY_MAX, "it belongs to another user (%u); chown root",
			       (unsigned)st->st_uid);
	else if ((st->st_mode & 077) != 0)
		(void)snprintf(why, SECRET_FILE_WHY_MAX, "its mode %03o lets other users at it; chmod 600",
			       (unsigned)st->st_mode & 0777);
	return why[0] != '\0';
}

static ssize_t read_file(const char *path, bool exposed_too, char *buf, size_t size, struct secret_file *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t n = -1;

	*ret = (struct secret_file){ .why = "" };
	if (fd == -1 || fstat(fd, &st) == -1)
		n = -errno;
	else if (is_exposed(&st, ret->why) && !exposed_too)
		n = -EPERM;
	else if ((n = read(fd, buf, size)) == -1)
		n = -errno;
	else
		ret->changed_s = st.st_mtim.tv_sec > 0 ? (uint64_t)st.st_mtim.tv_sec : 0;
	if (n < 0 && (n != -EPERM || ret->why[0] == '\0'))
		(void)snprintf(ret->why, sizeof(ret->why), "%s", strerror((int)-n));
	fd_close(&fd);
	return n;
}

ssize_t secret_file_read(const char *path, char *buf, size_t size, struct secret_file *ret)
{
	return read_file(path, false, buf, size, ret);
}

ssize_t secret_file_read_exposed(const char *path, char *buf, size_t size, struct secret_file *ret)
{
	return read_file(path, true, buf, size, ret);
}
