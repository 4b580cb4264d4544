/*
 * Verbs that the gateway does not know and that the server has listed in its reply to
 * FEAT: so the server knows them as whole words.
 */
#ifndef ATTLSD_FTP_ALG_OFFERED_H
#define ATTLSD_FTP_ALG_OFFERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Servers list fewer. Further names are not kept; `unknown_commands: pass` lets these commands through. */
#define FTP_OFFERED_MAX	     16
#define FTP_OFFERED_NAME_MAX 8

struct ftp_offered {
	char names[FTP_OFFERED_MAX][FTP_OFFERED_NAME_MAX + 1];
	uint8_t n;
};

/* Remember the name of a feature, in any case. Names of the gateway's own table are not kept. */
void ftp_offered_add(struct ftp_offered *offered, const char *name, size_t len);

bool ftp_offered_has(const struct ftp_offered *offered, const char *verb, size_t len);

#endif
