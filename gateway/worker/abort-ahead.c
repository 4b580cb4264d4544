/*
 * The data of an upload may end in order before the session comes to the line with ABOR: lines before it
 * wait for replies, or for their turn. Which came first is not known then, so the file is not known to be
 * whole. An ABOR after another transfer command is for that transfer.
 */
#include "gateway/worker/abort-ahead.h"

#include <ctype.h>
#include <string.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/net/linebuf.h"

/* Telnet commands may come before ABOR (RFC 959 4.1.3). */
static enum ftp_verb_kind kind_of(const char *line, size_t len)
{
	while (len > 0 && !isalpha((unsigned char)*line)) {
		line++;
		len--;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	return ftp_command_parse(line, len).verb->kind;
}

bool abort_ahead(const struct session *session)
{
	const char *line = (const char *)inbuf_at(&session->client_in), *end;
	size_t left = inbuf_len(&session->client_in), len;

	if (!session->data.upload || !ftp_machine_in_transfer(&session->machine))
		return false;
	for (; left > 0 && (end = memchr(line, '\n', left)) != NULL; line = end + 1, left -= len + 1) {
		len = (size_t)(end - line);
		switch (kind_of(line, len)) {
		case FTP_KIND_ABOR:
			return true;
		case FTP_KIND_UPLOAD:
		case FTP_KIND_DOWNLOAD:
			return false;
		default: /* Not by rule 11: no other command is about a transfer. */
			break;
		}
	}
	return false;
}
