/* Reads files that decide something, so that nobody else may write them. They are no secrets. */
#ifndef ATTLSD_GATEWAY_HOST_OWNED_FILE_H
#define ATTLSD_GATEWAY_HOST_OWNED_FILE_H

#include <stddef.h>

#define OWNED_FILE_WHY_MAX 120

/*
 * Read a whole file of at most `max` bytes that belongs to root or this user, and that no other user may
 * write. Returns 0 and a text of ret_len bytes with a NUL after it, the caller's to free(); or a negative
 * errno and `why`, with the fix.
 */
int owned_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len,
		    char why[static OWNED_FILE_WHY_MAX]);

#endif
