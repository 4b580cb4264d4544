/* Looks at the owner and the mode of a file before anything in it counts. */
#include "gateway/host/owned-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/util.h"

static const struct {
	mode_t others; /* bits that must not be set */
	const char *allows, *fix;
} guards[] = {
	[OWNED_FILE_NO_WRITING] = { 022, "lets other users write to it", "chmod go-w" },
	[OWNED_FILE_NO_ACCESS] = { 077, "gives other users access", "chmod 600" },
};

static void look(const struct stat *st, enum owned_file_guard guard, char why[static OWNED_FILE_WHY_MAX])
{
	if (!S_ISREG(st->st_mode))
		(void)snprintf(why, OWNED_FILE_WHY_MAX, "it is not a file");
	else if (st->st_uid != 0 && st->st_uid != geteuid())
		(void)snprintf(why, OWNED_FILE_WHY_MAX, "it belongs to another user (%u); chown root",
			       (unsigned)st->st_uid);
	else if ((st->st_mode & guards[guard].others) != 0)
		(void)snprintf(why, OWNED_FILE_WHY_MAX, "its mode %03o %s; %s", (unsigned)st->st_mode & 0777,
			       guards[guard].allows, guards[guard].fix);
}

int owned_file_open(const char *path, enum owned_file_guard guard, struct stat *ret_st,
		    char why[static OWNED_FILE_WHY_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	why[0] = '\0';
	if (fd == -1 || fstat(fd, ret_st) == -1) {
		int r = -errno;

		(void)snprintf(why, OWNED_FILE_WHY_MAX, "%s", strerror(-r));
		fd_close(&fd);
		return r;
	}
	look(ret_st, guard, why);
	return fd;
}

int owned_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len,
		    char why[static OWNED_FILE_WHY_MAX])
{
	struct stat st;
	int fd = owned_file_open(path, OWNED_FILE_NO_WRITING, &st, why);
	char *text = fd >= 0 && why[0] == '\0' ? malloc(max + 1) : NULL;
	ssize_t n;

	if (fd < 0)
		return fd;
	if (why[0] != '\0')
		n = -EPERM;
	else
		n = text != NULL ? fd_read_all(fd, text, max + 1) : -ENOMEM;
	fd_close(&fd);
	if (n >= 0 && (size_t)n <= max) {
		text[n] = '\0';
		*ret_text = text;
		*ret_len = (size_t)n;
		return 0;
	}
	free(text);
	if (n >= 0) {
		(void)snprintf(why, OWNED_FILE_WHY_MAX, "it has more than %zu bytes", max);
		return -EFBIG;
	}
	if (why[0] == '\0')
		(void)snprintf(why, OWNED_FILE_WHY_MAX, "%s", strerror((int)-n));
	return (int)n;
}
