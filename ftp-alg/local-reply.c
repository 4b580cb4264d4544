#include "ftp-alg/local-reply.h"

#include <assert.h>
#include <stddef.h>

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
