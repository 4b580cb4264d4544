#include "ftp-alg/out.h"

#include <assert.h>
#include <string.h>

struct ftp_act *ftp_out_add(struct ftp_out *out, enum ftp_do what)
{
	struct ftp_act *act;

	assert(out->n < FTP_OUT_MAX);
	act = &out->acts[out->n++];
	*act = (struct ftp_act){ .what = what };
	return act;
}

void ftp_out_text(struct ftp_out *out, enum ftp_do what, const char *text, size_t len)
{
	struct ftp_act *act = ftp_out_add(out, what);

	act->text = text;
	act->len = len;
}

void ftp_out_copy(struct ftp_out *out, enum ftp_do what, const char *text)
{
	size_t len = strlen(text);

	assert(out->used + len <= sizeof(out->text));
	memcpy(out->text + out->used, text, len);
	ftp_out_text(out, what, out->text + out->used, len);
	out->used += len;
}
