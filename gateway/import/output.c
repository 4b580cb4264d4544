/*
 * Writes each file under a temporary name in the same folder, and renames it when all are
 * complete. renameat2(2) refuses to replace a file that somebody else made meanwhile.
 */
#include "gateway/import/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/util.h"

static int complain(const char *path, int error)
{
	(void)fprintf(stderr, "attlsctl: %s: %s%s\n", path, strerror(error),
		      error == EEXIST ? "; --force replaces it" : "");
	return -1;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * mkstemp() gives only the owner access. A file that is replaced keeps its mode; most others
 * are as public as any that a user creates.
 */
static int set_mode(int fd, const struct output *output)
{
	mode_t mask = umask(0);
	mode_t mode = output->mode;
	struct stat replaced;

	(void)umask(mask); /* cannot fail */
	if (mode == 0)
		mode = stat(output->path, &replaced) == 0 ? replaced.st_mode & 0777 : 0666 & ~mask;
	return fchmod(fd, mode) == -1 ? -errno : 0;
}

static int prepare(struct output *output)
{
	int fd = -1;
	int r;

	if (asprintf(&output->made, "%s.XXXXXX", output->path) < 0) {
		output->made = NULL;
		return complain(output->path, ENOMEM);
	}
	fd = mkostemp(output->made, O_CLOEXEC);
	if (fd == -1) {
		r = -errno;
		free(output->made);
		output->made = NULL;
		return complain(output->path, -r);
	}
	r = set_mode(fd, output);
	if (r == 0)
		r = write_all(fd, output->text, output->len);
	if (r == 0 && fsync(fd) == -1)
		r = -errno;
	fd_close(&fd);
	return r < 0 ? complain(output->path, -r) : 0;
}

/* Some file systems cannot refuse in renameat2(); link() can. */
static int move_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	return link(from, to) == -1 ? -1 : unlink(from);
}

static bool exists(const char *path)
{
	struct stat facts;

	return lstat(path, &facts) == 0;
}

static int check(const struct output *outputs, size_t n, bool force)
{
	for (size_t i = 0; i < n; i++) {
		if (outputs[i].path == NULL)
			continue;
		for (size_t j = 0; j < i; j++)
			if (outputs[j].path != NULL && strcmp(outputs[i].path, outputs[j].path) == 0) {
				(void)fprintf(stderr, "attlsctl: %s: two files cannot have this name\n",
					      outputs[i].path);
				return -1;
			}
		if (!force && exists(outputs[i].path))
			return complain(outputs[i].path, EEXIST);
	}
	return 0;
}

static int publish(struct output *output, bool force)
{
	int r;

	if (output->path == NULL)
		return write_all(STDOUT_FILENO, output->text, output->len) < 0
			   ? complain("standard output", errno)
			   : 0;
	r = force ? rename(output->made, output->path) : move_new(output->made, output->path);
	if (r == -1)
		return complain(output->path, errno);
	free(output->made);
	output->made = NULL;
	return 0;
}

int output_write(struct output *outputs, size_t n, bool force)
{
	int r = check(outputs, n, force);

	for (size_t i = 0; i < n && r == 0; i++)
		if (outputs[i].path != NULL)
			r = prepare(&outputs[i]);
	for (size_t i = 0; i < n && r == 0; i++)
		r = publish(&outputs[i], force);
	for (size_t i = 0; i < n; i++) {
		if (outputs[i].made != NULL)
			(void)unlink(outputs[i].made); /* what failed is reported already */
		free(outputs[i].made);
		outputs[i].made = NULL;
	}
	return r;
}
