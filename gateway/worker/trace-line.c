/*
 * Writes lines of the dialogue for the trace, without their secrets. What is not a command of
 * the table of verbs is not shown at all.
 */
#include "gateway/worker/trace-line.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"

/* The server's refusal of these may be in any line, so no more than the code is shown. */
#define HIDDEN_REPLY "(hidden: it may repeat a password)"

/* So many lines of a reply are shown, one less than this. */
#define LINES_SHOWN 101

static size_t put(char *buf, size_t at, const char *text, size_t len, bool *cut)
{
	if (len > TRACE_TEXT_MAX - at) {
		len = TRACE_TEXT_MAX - at;
		*cut = true;
	}
	memcpy(buf + at, text, len);
	return at + len;
}

size_t trace_line_command(const char *line, size_t len, char buf[static TRACE_TEXT_MAX], bool *ret_cut)
{
	const struct ftp_command command = ftp_command_parse(line, len);
	static const char mask[] = " ****";
	size_t at, shown;

	*ret_cut = false;
	if (command.verb->name[0] == '\0')
		return (size_t)snprintf(buf, TRACE_TEXT_MAX, "(hidden: not a command of FTP, %zu bytes)",
					len);
	at = put(buf, 0, line, command.verb_len, ret_cut);
	if (command.arg_len == 0)
		return at;
	shown = ftp_argument_shown(&command);
	if (shown > 0) {
		at = put(buf, at, " ", 1, ret_cut);
		at = put(buf, at, command.arg, shown, ret_cut);
	}
	return shown < command.arg_len ? put(buf, at, mask, sizeof(mask) - 1, ret_cut) : at;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

size_t trace_line_reply(const struct echo *echo, bool doubtful, const char *line, size_t len,
			char buf[static TRACE_TEXT_MAX], bool *ret_cut)
{
	bool coded = len >= 3 && is_digit(line[0]) && is_digit(line[1]) && is_digit(line[2]) &&
		     (len == 3 || line[3] == ' ' || line[3] == '-');

	*ret_cut = false;
	if (!doubtful && !echo_is_in(echo, line, len))
		return put(buf, 0, line, len, ret_cut);
	/* a password may have three digits, too: its line has no code */
	if (coded && len > 3 && !echo_is_in(echo, line, 3))
		return (size_t)snprintf(buf, TRACE_TEXT_MAX, "%.4s%s", line, HIDDEN_REPLY);
	return (size_t)snprintf(buf, TRACE_TEXT_MAX, "%s", HIDDEN_REPLY);
}

void trace_command(const struct session *session, enum trace_kind kind, const char *line, size_t len)
{
	char text[TRACE_TEXT_MAX];
	bool cut;
	size_t shown;

	if (!trace_wants(&session->facts))
		return;
	shown = trace_line_command(line, len, text, &cut);
	trace_text(&session->facts, kind, text, shown, cut);
}

void trace_bad_command(const struct session *session, enum ftp_line_status status)
{
	static const char *const why[] = {
		[FTP_LINE_NUL] = "(hidden: a line with a NUL)",
		[FTP_LINE_BARE_CR] = "(hidden: a line with a CR in it)",
		[FTP_LINE_BARE_LF] = "(hidden: a line that ends with LF alone)",
		[FTP_LINE_TOO_LONG] = "(hidden: a line that is too long)",
	};

	if (trace_wants(&session->facts) && (size_t)status < NELEM(why) && why[status] != NULL)
		trace_text(&session->facts, TRACE_FROM_CLIENT, why[status], strlen(why[status]), false);
}

/* Is it one of the first lines since the last command or reply began? A listing would push all else out. */
static bool has_room(struct session *session, enum trace_kind kind)
{
	static const char more[] = "(more lines, which are not shown)";
	uint32_t *lines = kind == TRACE_FROM_SERVER ? &session->lines_from_server : &session->lines_to_client;

	if (*lines <= LINES_SHOWN)
		++*lines;
	if (*lines == LINES_SHOWN)
		trace_text(&session->facts, kind, more, sizeof(more) - 1, false);
	return *lines < LINES_SHOWN;
}

void trace_reply_begins(struct session *session)
{
	session->lines_from_server = session->lines_to_client = 0;
}

void trace_reply(struct session *session, enum trace_kind kind, const char *text, size_t len)
{
	if (!trace_wants(&session->facts))
		return;
	while (len > 0) {
		const char *end = memchr(text, '\r', len);
		size_t line_len = end == NULL ? len : (size_t)(end - text);
		char shown[TRACE_TEXT_MAX];
		bool cut;
		size_t shown_len =
		    trace_line_reply(&session->echo, session->word_sent, text, line_len, shown, &cut);

		if (has_room(session, kind))
			trace_text(&session->facts, kind, shown, shown_len, cut);
		line_len += end == NULL ? 0 : 1 + (line_len + 1 < len && end[1] == '\n');
		text += line_len;
		len -= line_len;
	}
}
