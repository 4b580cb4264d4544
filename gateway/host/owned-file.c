/*
 * Reads a file whose content decides something. Opening it must not wait for the writer of a named pipe.
 */
#include "gateway/host/owned-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/util.h"

static bool is_open_to_others(const struct stat *st, char why[static OWNED_FILE_WHY_MAX])
{
	if (!S_ISREG(st->st_mode))
		(void)snprintf(why, OWNED_FILE_WHY_MAX, "it is not a file");
	else if (st->st_uid != 0 && st->st_uid != geteuid())
		(void)snprintf(why, OWNED_FILE_WHY_MAX, "it belongs to another user (%u); chown root",
			       (unsigned)st->st_uid);
	else if ((st->st_mode & 022) != 0)
		(void)snprintf(why, OWNED_FILE_WHY_MAX, "its mode %03o lets other users write it; chmod go-w",
			       (unsigned)st->st_mode & 0777);
	return why[0] != '\0';
}

/* Returns how many bytes, or a negative errno. */
static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && len < size) {
		n = read(fd, text + len, size - len);
		if (n > 0)
			len += (size_t)n;
	}
	return n < 0 ? -errno : (ssize_t)len;
}

int owned_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len,
		    char why[static OWNED_FILE_WHY_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = NULL;
	struct stat st;
	ssize_t n;

	why[0] = '\0';
	if (fd == -1 || fstat(fd, &st) == -1)
		n = -errno;
	else if (is_open_to_others(&st, why))
		n = -EPERM;
	else if ((text = malloc(max + 1)) == NULL)
		n = -ENOMEM;
	else
		n = read_all(fd, text, max + 1);
	fd_close(&fd);
	if (n >= 0 && (size_t)n <= max) {
		text[n] = '\0';
		*ret_text = text;
		*ret_len = (size_t)n;
		return 0;
	}
	if (n >= 0) {
		n = -EFBIG;
		(void)snprintf(why, OWNED_FILE_WHY_MAX, "it has more than %zu bytes", max);
	} else if (why[0] == '\0') {
		(void)snprintf(why, OWNED_FILE_WHY_MAX, "%s", strerror((int)-n));
	}
	free(text);
	return (int)n;
}
