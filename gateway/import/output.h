/* Files that appear as a whole, or not at all. */
#ifndef ATTLSD_GATEWAY_IMPORT_OUTPUT_H
#define ATTLSD_GATEWAY_IMPORT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A file to be written; path NULL: the standard output. */
struct output {
	const char *path;
	char *text;
	size_t len;
	mode_t mode; /* 0: as open as the umask leaves it */
	char *made;  /* the temporary file; NULL: there is none */
};

/*
 * Write all of them beside their paths, then give them their names. A file that exists is
 * replaced only with force. Prints what is wrong. Returns 0 or -1; then no file has changed, unless the
 * last step failed halfway.
 */
int output_write(struct output *outputs, size_t n, bool force);

#endif
