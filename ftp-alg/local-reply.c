#include "ftp-alg/local-reply.h"

#include <assert.h>
#include <stddef.h>

static const struct {
	const char *rfc;
	const char *zos;
} texts[FTP_OWN_COUNT] = {
#define REPLY(id, rfc, zos) [FTP_OWN_##id] = { rfc, zos },
#include "ftp-alg/local-reply.def"
#undef REPLY
};

const char *ftp_own_text(enum ftp_own own, enum reply_style style)
{
	assert(own > FTP_OWN_NONE && own < FTP_OWN_COUNT);
	return style == REPLY_STYLE_ZOS && texts[own].zos != NULL ? texts[own].zos : texts[own].rfc;
}
