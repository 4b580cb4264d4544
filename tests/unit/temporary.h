/*
 * Temporary files: one folder for each test program, under TMPDIR or else /tmp, which is removed with
 * all that is in it when the program ends.
 */
#ifndef ATTLSD_TESTS_UNIT_TEMPORARY_H
#define ATTLSD_TESTS_UNIT_TEMPORARY_H

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* The longest path, with its NUL. */
#define TEMPORARY_PATH 256

static struct {
	char folder[TEMPORARY_PATH - 32]; /* empty: not made yet */
	pid_t owner;			  /* a process that the test forks removes nothing */
} temporary;

static inline int temporary_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void temporary_remove(void)
{
	if (getpid() == temporary.owner)
		(void)nftw(temporary.folder, temporary_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The folder, which is made on first use. Only its owner may look into it. */
static inline const char *temporary_folder(void)
{
	const char *parent = getenv("TMPDIR");
	int len;

	if (temporary.folder[0] != '\0')
		return temporary.folder;
	if (parent == NULL || parent[0] == '\0')
		parent = "/tmp";
	/* mkdtemp(3) replaces the X */
	len = snprintf(temporary.folder, sizeof(temporary.folder), "%s/attlsd-unit-XXXXXX", parent);
	if (len < 0 || (size_t)len >= sizeof(temporary.folder) || mkdtemp(temporary.folder) == NULL) {
		temporary.folder[0] = '\0';
		fail_msg("cannot make a folder under %s", parent);
	}
	temporary.owner = getpid();
	assert_int_equal(atexit(temporary_remove), 0);
	return temporary.folder;
}

/* The path of `name` in the folder. There is no such file unless the test has made it. Returns `path`. */
static inline char *temporary_path(char path[static TEMPORARY_PATH], const char *name)
{
	int len = snprintf(path, TEMPORARY_PATH, "%s/%s", temporary_folder(), name);

	assert_in_range(len, 1, TEMPORARY_PATH - 1);
	return path;
}

/* Write `text` to a new file in the place of `path`, whose mode may have forbidden writing. */
static inline void temporary_write(const char *path, const char *text, mode_t mode)
{
	FILE *out;

	(void)remove(path); /* there may be none */
	out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
}

#endif
