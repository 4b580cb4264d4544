/*
 * Does an entry of `access` cover a path? With certainty, or as some servers would read it.
 */
#ifndef ATTLSD_FTP_ALG_ACCESS_MATCH_H
#define ATTLSD_FTP_ALG_ACCESS_MATCH_H

#include "ftp-alg/access-path.h"
#include "policy/ftp-action.h"

enum ftp_cover {
	FTP_COVER_NONE = 0,
	FTP_COVER_MAYBE, /* another case, wildcards, or something above or beneath: such an entry refuses, but
			    never lets in */
	FTP_COVER_CERTAIN, /* the entry decides */
};

enum ftp_cover ftp_access_covers(const struct ftp_access *access, const struct ftp_path *path);

#endif
