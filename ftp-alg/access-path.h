/*
 * A path as a server may read it: the parts of its name from the root of its space, and
 * what is not certain about it.
 */
#ifndef ATTLSD_FTP_ALG_ACCESS_PATH_H
#define ATTLSD_FTP_ALG_ACCESS_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ftp-action.h"

/* Of a folder, and of a path with the folder that it is relative to. */
#define FTP_FOLDER_MAX	     1024
#define FTP_PATH_PARTS_MAX   128
#define FTP_PATH_TEXT_MAX    (FTP_FOLDER_MAX + 512)
#define FTP_PATH_PATTERN_MAX 256

struct ftp_path_part {
	uint16_t at, len; /* in the text of the path */
	bool pattern;	  /* it has wildcards, so it may stand for other names */
};

struct ftp_path {
	enum ftp_space space;
	bool anywhere; /* the server may read it as any path */
	bool deep;     /* all that is beneath may be meant as well */
	uint16_t nparts, used;
	struct ftp_path_part parts[FTP_PATH_PARTS_MAX];
	char text[FTP_PATH_TEXT_MAX];
};

/* The working directory of a session at its server. */
enum ftp_folder_state {
	FTP_FOLDER_STALE = 0, /* it may have changed: ask the server */
	FTP_FOLDER_KNOWN,
	FTP_FOLDER_UNKNOWN, /* the server does not say, or not in a form that can be read */
};

struct ftp_folder_name {
	enum ftp_folder_state state;
	enum ftp_space space;
	bool members; /* MVS: a partitioned data set, whose members are named */
	uint16_t len;
	char text[FTP_FOLDER_MAX]; /* HFS: the absolute path; MVS: qualifiers without quotes */
};

/* Read the text between the quotes of a 257. */
void ftp_folder_name_read(struct ftp_folder_name *folder, const char *text, size_t len);

/* The folder itself, or (up) the one above it. */
void ftp_path_of_folder(struct ftp_path *path, const struct ftp_folder_name *folder, bool up);

/*
 * The path that this name means. A name that is not absolute is in the folder. listing: in
 * the space of data sets, all with this beginning are meant.
 */
void ftp_path_read(struct ftp_path *path, const struct ftp_folder_name *folder, const char *name, size_t len,
		   bool listing);

/* The same for a folder of files, to which quotes are part of the name. */
void ftp_path_read_plain(struct ftp_path *path, const struct ftp_folder_name *folder, const char *name,
			 size_t len);

/* May the name be read in a way that cannot be foreseen? Control characters, 0xFF, backslashes and the like.
 */
bool ftp_name_is_unclear(const char *name, size_t len);

#endif
