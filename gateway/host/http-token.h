/* Reads the file of daemon.http_token_file. */
#ifndef ATTLSD_GATEWAY_HOST_HTTP_TOKEN_H
#define ATTLSD_GATEWAY_HOST_HTTP_TOKEN_H

#define HTTP_TOKEN_MIN 16
#define HTTP_TOKEN_MAX 256

#define HTTP_TOKEN_WHY_MAX 160

/*
 * Read the token in the first line, padded with zeroes. Returns 0, or a negative errno and what
 * is wrong with the file; the token itself is in no message.
 */
int http_token_read(const char *path, char ret[static HTTP_TOKEN_MAX + 1],
		    char why[static HTTP_TOKEN_WHY_MAX]);

#endif
