/*
 * The server's own verbs, learnt from FEAT. A server may send any number of lines, so
 * the list has a limit, and only what could be a verb is kept.
 */
#include "ftp-alg/offered.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "ftp-alg/verb.h"

bool ftp_offered_has(const struct ftp_offered *offered, const char *verb, size_t len)
{
	for (size_t i = 0; i < offered->n; i++)
		if (strlen(offered->names[i]) == len && strncasecmp(offered->names[i], verb, len) == 0)
			return true;
	return false;
}

static bool could_be_a_verb(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]))
			return false;
	return len > 0 && len <= FTP_OFFERED_NAME_MAX;
}

void ftp_offered_add(struct ftp_offered *offered, const char *name, size_t len)
{
	if (offered->n == FTP_OFFERED_MAX || !could_be_a_verb(name, len) ||
	    ftp_verb_find(name, len)->name[0] != '\0' || ftp_offered_has(offered, name, len))
		return;
	memcpy(offered->names[offered->n], name, len);
	offered->names[offered->n][len] = '\0';
	offered->n++;
}
