/*
 * Appending to the list of actions. A list that overflows is a bug, so sizes are
 * asserted; only formatted texts, which may hold a server's words, are cut off.
 */
#include "ftp-alg/out.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct ftp_act *ftp_out_add(struct ftp_out *out, enum ftp_do what)
{
	struct ftp_act *act;

	assert(out->n < FTP_OUT_MAX);
	act = &out->acts[out->n++];
	*act = (struct ftp_act){ .what = what };
	return act;
}

struct ftp_act *ftp_out_text(struct ftp_out *out, enum ftp_do what, const char *text, size_t len)
{
	struct ftp_act *act = ftp_out_add(out, what);

	act->text = text;
	act->len = len;
	return act;
}

struct ftp_act *ftp_out_copy(struct ftp_out *out, enum ftp_do what, const char *text)
{
	char *copy = out->text + out->used;
	size_t len = strlen(text);

	assert(out->used + len <= sizeof(out->text));
	memcpy(copy, text, len);
	out->used += len;
	return ftp_out_text(out, what, copy, len);
}

struct ftp_act *ftp_out_format(struct ftp_out *out, enum ftp_do what, const char *fmt, ...)
{
	size_t room = sizeof(out->text) - out->used;
	char *text = out->text + out->used;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, room, fmt, args);
	va_end(args);
	assert(n >= 0);
	if ((size_t)n >= room)
		n = room > 0 ? (int)room - 1 : 0;
	out->used += (size_t)n;
	return ftp_out_text(out, what, text, (size_t)n);
}
