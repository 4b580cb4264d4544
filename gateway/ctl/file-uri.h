/* The names of files as URIs. */
#ifndef ATTLSD_GATEWAY_CTL_FILE_URI_H
#define ATTLSD_GATEWAY_CTL_FILE_URI_H

/*
 * The file: URI of a path, as an editor that opened this path names it: absolute, without "."
 * and "..", but with symbolic links. Returns NULL without memory, else a string to be freed.
 */
char *file_uri(const char *path);

#endif
