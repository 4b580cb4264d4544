/* Reads a file with a secret, and says whether other users can read it or replace its content. */
#include "gateway/host/secret-file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/host/owned-file.h"

static ssize_t read_file(const char *path, bool exposed_too, char *buf, size_t size, struct secret_file *ret)
{
	struct stat st;
	int fd = owned_file_open(path, OWNED_FILE_NO_ACCESS, &st, ret->why);
	ssize_t n;

	ret->changed_s = 0;
	if (fd < 0)
		return fd;
	if (ret->why[0] != '\0' && !exposed_too) {
		n = -EPERM;
	} else if ((n = read(fd, buf, size)) == -1) {
		n = -errno;
		(void)snprintf(ret->why, sizeof(ret->why), "%s", strerror(errno));
	} else {
		ret->changed_s = st.st_mtim.tv_sec > 0 ? (uint64_t)st.st_mtim.tv_sec : 0;
	}
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
