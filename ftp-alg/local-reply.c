/*
 * The texts of local-reply.def as a table with one row per reply.
 */
#include "ftp-alg/local-reply.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *rfc;
	const char *zos;
	const char *key;
} texts[FTP_LOCAL_COUNT] = {
#define REPLY(id, rfc, zos, key) [FTP_LOCAL_##id] = { rfc, zos, key },
#include "ftp-alg/local-reply.def"
#undef REPLY
};

const char *ftp_local_text(enum ftp_local reply, enum reply_style style)
{
	assert(reply > FTP_LOCAL_NONE && reply < FTP_LOCAL_COUNT);
	return style == REPLY_STYLE_ZOS && texts[reply].zos != NULL ? texts[reply].zos : texts[reply].rfc;
}

/* Two keys can require TLS of a client; the other one in ftp_action_needs_tls() counts if this one does not.
 */
static const char secure_ftp[] = "secure_ftp";

const char *ftp_local_key(enum ftp_local reply, const struct ftp_action *action)
{
	const char *key = texts[reply].key;

	assert(reply > FTP_LOCAL_NONE && reply < FTP_LOCAL_COUNT);
	if (key != NULL && strcmp(key, secure_ftp) == 0 && action->secure_ftp != SECURE_FTP_REQUIRED)
		return "secure_ctrlconn";
	return key;
}

const char *ftp_local_key_at(size_t reply)
{
	return reply < FTP_LOCAL_COUNT ? texts[reply].key : NULL;
}

size_t ftp_local_line(enum ftp_local reply, enum reply_style style, char buf[static FTP_LOCAL_LINE_MAX])
{
	int len = snprintf(buf, FTP_LOCAL_LINE_MAX, "%s\r\n", ftp_local_text(reply, style));

	assert(len > 0 && len < FTP_LOCAL_LINE_MAX); /* a unit test holds every text to that */
	return (size_t)len;
}
