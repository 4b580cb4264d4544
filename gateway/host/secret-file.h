/* Reads files with secrets. */
#ifndef ATTLSD_GATEWAY_HOST_SECRET_FILE_H
#define ATTLSD_GATEWAY_HOST_SECRET_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/host/owned-file.h"

struct secret_file {
	char why[OWNED_FILE_WHY_MAX]; /* what is wrong with the file, and the fix; "": nothing */
	uint64_t changed_s;	      /* when it was last changed, since 1970 */
};

/*
 * Read the first bytes of a file that belongs to root or this user, and that no other user may read or
 * write. Returns their number, or a negative errno and `why`; -EPERM: others can get at the file. The caller
 * wipes buf.
 */
ssize_t secret_file_read(const char *path, char *buf, size_t size, struct secret_file *ret);

/* The same, but read it even if others can get at it: `why` says so. */
ssize_t secret_file_read_exposed(const char *path, char *buf, size_t size, struct secret_file *ret);

#endif
