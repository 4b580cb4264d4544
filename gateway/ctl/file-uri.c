/*
 * Makes file: URIs (RFC 8089) of paths, in the form that editors have for the same file:
 * relative paths from the current folder, and links left alone.
 */
#include "gateway/ctl/file-uri.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* RFC 3986: these bytes of a path stand for themselves. */
static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";

/* Append the parts of a path to out, which has room for all of it; ".." takes one away. */
static size_t append_parts(char *out, size_t len, const char *path)
{
	while (*path != '\0') {
		size_t n = strcspn(path, "/");

		if (n == 2 && memcmp(path, "..", 2) == 0) {
			while (len > 0 && out[--len] != '/')
				continue;
		} else if (n > 0 && !(n == 1 && path[0] == '.')) {
			out[len++] = '/';
			memcpy(out + len, path, n);
			len += n;
		}
		path += n;
		path += strspn(path, "/");
	}
	return len;
}

char *file_uri(const char *path)
{
	char folder[PATH_MAX] = "";
	size_t size, len = 0;
	char *whole, *uri = NULL;
	FILE *out;

	/* without a current folder, the path is the best that there is */
	if (path[0] != '/' && getcwd(folder, sizeof(folder)) == NULL)
		folder[0] = '\0';
	size = strlen(folder) + strlen(path) + 3;
	whole = malloc(size);
	if (whole == NULL)
		return NULL;
	len = append_parts(whole, len, folder);
	len = append_parts(whole, len, path);
	out = open_memstream(&uri, &size);
	if (out != NULL) {
		(void)fputs("file://", out);
		for (size_t i = 0; i < len; i++)
			if (strchr(plain, whole[i]) != NULL)
				(void)fputc(whole[i], out);
			else
				(void)fprintf(out, "%%%02X", (unsigned char)whole[i]);
		if (fclose(out) != 0) {
			free(uri);
			uri = NULL;
		}
	}
	free(whole);
	return uri;
}
