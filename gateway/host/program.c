/*
 * Remembers which program runs, and from where. /proc/self/exe names a deleted file once a
 * package has replaced it, so the path is that of the start: argv[0], if it is that file.
 */
#include "gateway/host/program.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/util.h"

static const char self[] = "/proc/self/exe";

static void note_file(struct program *program, const struct stat *st)
{
	program->dev = st->st_dev;
	program->ino = st->st_ino;
	program->changed = st->st_mtim;
}

/* argv[0] with the folder of the start. Returns false if it is a mere name, or too long. */
static bool take_argument(struct program *program, const char *name)
{
	size_t len = 0;

	if (name == NULL || strchr(name, '/') == NULL)
		return false;
	if (name[0] != '/') {
		if (getcwd(program->path, sizeof(program->path)) == NULL)
			return false;
		len = strlen(program->path);
		if (len + 1 == sizeof(program->path))
			return false;
		program->path[len++] = '/';
	}
	if (strlen(name) >= sizeof(program->path) - len)
		return false;
	memcpy(program->path + len, name, strlen(name) + 1);
	return true;
}

void program_remember(struct program *program, char *const *argv)
{
	struct stat own = { 0 }, st;
	ssize_t n;

	*program = (struct program){ .argv = argv };
	if (stat(self, &own) == 0)
		note_file(program, &own);
	if (take_argument(program, argv[0]) && stat(program->path, &st) == 0 &&
	    (own.st_ino == 0 || (st.st_dev == own.st_dev && st.st_ino == own.st_ino)))
		return;
	n = readlink(self, program->path, sizeof(program->path) - 1);
	program->path[n < 0 ? 0 : n] = '\0';
}

int program_beside(const char *name, char ret_path[static PATH_MAX])
{
	char own[PATH_MAX];
	ssize_t n = readlink(self, own, sizeof(own) - 1);
	int len;

	if (n == -1)
		return -errno;
	own[n] = '\0';
	len = snprintf(ret_path, PATH_MAX, "%s/%s", dirname(own), name);
	return len < 0 || len >= PATH_MAX ? -ENAMETOOLONG : 0;
}

bool program_is_new(const struct program *program)
{
	struct stat st;

	return stat(program->path, &st) == 0 && (st.st_dev != program->dev || st.st_ino != program->ino ||
						 st.st_mtim.tv_sec != program->changed.tv_sec ||
						 st.st_mtim.tv_nsec != program->changed.tv_nsec);
}

static bool is_trusted(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

/* Who may write into a folder can replace what is in it, unless it is sticky as /tmp is. */
static bool others_may_write(const struct stat *st)
{
	if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0)
		return false;
	return (st->st_mode & S_IWOTH) != 0 || ((st->st_mode & S_IWGRP) != 0 && st->st_gid != 0);
}

static int check_one(const char *path, char reason[static PROGRAM_REASON_MAX])
{
	struct stat st;

	if (stat(path, &st) == -1) {
		int error = errno;

		(void)snprintf(reason, PROGRAM_REASON_MAX, "%.200s: %s", path, strerror(error));
		return -error;
	}
	if (is_trusted(&st) && !others_may_write(&st))
		return 0;
	(void)snprintf(reason, PROGRAM_REASON_MAX,
		       "others than root may write to %.160s, so it is not executed; fix: "
		       "chown root:root, chmod go-w",
		       path);
	return -EPERM;
}

/* The file or folder, and every folder above it. */
static int check_way(char *path, char reason[static PROGRAM_REASON_MAX])
{
	int r = check_one(path, reason);
	char *slash;

	while (r == 0 && (slash = strrchr(path, '/')) != NULL && strcmp(path, "/") != 0) {
		slash[slash == path] = '\0';
		r = check_one(path, reason);
	}
	return r;
}

int program_check(const struct program *program, char ret_reason[static PROGRAM_REASON_MAX])
{
	char real[PATH_MAX], copy[PATH_MAX];
	struct stat st;
	int r;

	if (program->path[0] != '/' || realpath(program->path, real) == NULL) {
		r = program->path[0] != '/' ? -ENOENT : -errno;
		(void)snprintf(ret_reason, PROGRAM_REASON_MAX, "%.200s: %s", program->path, strerror(-r));
		return r;
	}
	if (stat(real, &st) == 0 && (!S_ISREG(st.st_mode) || (st.st_mode & S_IXUSR) == 0)) {
		(void)snprintf(ret_reason, PROGRAM_REASON_MAX, "%.200s is not a program", program->path);
		return -EACCES;
	}
	r = check_way(real, ret_reason);
	if (r < 0)
		return r;
	/* and the folder of a link that leads there */
	(void)snprintf(copy, sizeof(copy), "%s", program->path);
	if (realpath(dirname(copy), real) == NULL)
		return -errno;
	return check_way(real, ret_reason);
}
