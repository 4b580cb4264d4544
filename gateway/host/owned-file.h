/* Opens and reads files that hold decisions or secrets: who owns them, who can change them? */
#ifndef ATTLSD_GATEWAY_HOST_OWNED_FILE_H
#define ATTLSD_GATEWAY_HOST_OWNED_FILE_H

#include <stddef.h>
#include <sys/stat.h>

#define OWNED_FILE_WHY_MAX 120

/* What users other than root and this one may not do with a file. */
enum owned_file_guard { OWNED_FILE_NO_WRITING, OWNED_FILE_NO_ACCESS };

/*
 * Open a file without waiting for the writer of a named pipe. Returns a descriptor, and `why` is "" if the
 * file is guarded, or else says what is wrong, with the fix; or a negative errno and `why`.
 */
int owned_file_open(const char *path, enum owned_file_guard guard, struct stat *ret_st,
		    char why[static OWNED_FILE_WHY_MAX]);

/*
 * Read a whole file of at most `max` bytes that no other user can write to. It is no secret. Returns 0 and a
 * text of ret_len bytes with a NUL after it, the caller's to free(); or a negative errno and `why`, with the
 * fix.
 */
int owned_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len,
		    char why[static OWNED_FILE_WHY_MAX]);

#endif
