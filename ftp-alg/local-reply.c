/*
 * The texts of local-reply.def as a table with one row per reply.
 */
#include "ftp-alg/local-reply.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>

static const struct {
	const char *rfc;
	const char *zos;
} texts[FTP_LOCAL_COUNT] = {
#define REPLY(id, rfc, zos) [FTP_LOCAL_##id] = { rfc, zos },
#include "ftp-alg/local-reply.def"
#undef REPLY
};

const char *ftp_local_text(enum ftp_local reply, enum reply_style style)
{
	assert(reply > FTP_LOCAL_NONE && reply < FTP_LOCAL_COUNT);
	return style == REPLY_STYLE_ZOS && texts[reply].zos != NULL ? texts[reply].zos : texts[reply].rfc;
}

size_t ftp_local_line(enum ftp_local reply, enum reply_style style, char buf[static FTP_LOCAL_LINE_MAX])
{
	int len = snprintf(buf, FTP_LOCAL_LINE_MAX, "%s\r\n", ftp_local_text(reply, style));

	assert(len > 0 && len < FTP_LOCAL_LINE_MAX); /* a unit test holds every text to that */
	return (size_t)len;
}
