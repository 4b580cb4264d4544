/*
 * Prints sessions as a table that an operator can read at a glance: one row each, a
 * second line for a transfer, and the rest on demand.
 */
#include "gateway/view/session-print.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/view/client-text.h"
#include "gateway/view/session-details.h"
#include "gateway/view/session-words.h"

/* Where nobody says how wide the terminal is. */
#define WIDTH_DEFAULT 100
#define WIDTH_MIN     60
/* Names give way to commands, but not below this. */
#define NAME_MIN    8
#define COMMAND_MIN 14

enum column { SESSION, CLIENT, USER, RULE, BACKEND, CTRL, AGE, IDLE, COMMAND, COLUMNS };

static const struct {
	const char *head;
	bool right;   /* aligned to the right */
	bool shrinks; /* if the row is too long */
} columns[COLUMNS] = {
	[SESSION] = { "SESSION", true, false }, [CLIENT] = { "CLIENT", false, false },
	[USER] = { "USER", false, true },	[RULE] = { "RULE", false, true },
	[BACKEND] = { "BACKEND", false, true }, [CTRL] = { "CTRL", false, false },
	[AGE] = { "AGE", true, false },		[IDLE] = { "IDLE", true, false },
	[COMMAND] = { "COMMAND", false, true },
};

/* The text of one cell in the row of a session. */
static const char *cell(const struct answer_session *session, enum column column,
			char buf[static CLIENT_SHOWN_MAX])
{
	const char *command = session->transfer[0] != '\0' ? session->transfer : session->command;

	switch (column) {
	case SESSION:
		(void)snprintf(buf, CLIENT_SHOWN_MAX, "%" PRIu64, session->session);
		return buf;
	case CLIENT:
		return ip_addr_format(&session->remote.addr, buf);
	case USER:
		return client_text_name(session->user, buf);
	case RULE:
		return client_text_name(session->rule, buf);
	case BACKEND:
		return client_text_name(session->backend, buf);
	case CTRL:
		return session_letters(session->client_leg.control, session->server_leg.control, buf);
	case AGE:
		return client_text_age(session->age_ms, buf);
	case IDLE:
		return client_text_age(session->idle_ms, buf);
	case COMMAND:
		return command[0] != '\0' ? client_text_shown(command, buf) : "-";
	case COLUMNS:
		break;
	}
	return "";
}

static size_t width_of(FILE *out)
{
	struct winsize size = { .ws_col = 0 };

	if (ioctl(fileno(out), TIOCGWINSZ, &size) == -1 || size.ws_col == 0)
		return WIDTH_DEFAULT;
	return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
}

/* Take from the widest of the columns that shrink, until the row fits or they are narrow. */
static void fit(size_t widths[static COLUMNS], size_t width)
{
	size_t total = 2 * (COLUMNS - 1);

	for (enum column column = 0; column < COLUMNS; column++)
		total += widths[column];
	while (total > width) {
		enum column widest = COLUMNS;

		for (enum column column = 0; column < COLUMNS; column++)
			if (columns[column].shrinks &&
			    widths[column] > (column == COMMAND ? COMMAND_MIN : NAME_MIN) &&
			    (widest == COLUMNS || widths[column] > widths[widest]))
				widest = column;
		if (widest == COLUMNS)
			return;
		widths[widest]--;
		total--;
	}
}

static void print_cell(const char *text, enum column column, size_t width, FILE *out)
{
	int w = (int)width, len = (int)strlen(text);
	bool cut = columns[column].shrinks && len > w;
	const char *gap = column == 0 ? "" : "  ";

	if (columns[column].right)
		(void)fprintf(out, "%s%*s", gap, w, text);
	else if (cut)
		(void)fprintf(out, "%s%.*s...", gap, w - 3, text);
	else
		(void)fprintf(out, "%s%-*s", gap, column == COLUMNS - 1 ? 0 : w, text);
}

/* How far the transfer has come, and over which connections. */
static void print_transfer(const struct answer_session *session, size_t indent, FILE *out)
{
	const char *client = session_way(&session->client_leg), *server = session_way(&session->server_leg);
	char progress[SESSION_PROGRESS_MAX], letters[SESSION_LETTERS_MAX];

	if (session->transfer[0] == '\0')
		return;
	(void)fprintf(out, "%*s  %s %s, data %s", (int)indent, "", session->upload ? "upload" : "download",
		      session_progress(session, progress),
		      session_letters(session->client_leg.data, session->server_leg.data, letters));
	if (client[0] != '\0')
		(void)fprintf(out, ", %s/%s", client, server[0] != '\0' ? server : "-");
	(void)fputc('\n', out);
}

static void print_told(const struct answer_session *session, size_t indent, FILE *out)
{
	char buf[CLIENT_SHOWN_MAX];

	if (session->client_leg.waits)
		(void)fprintf(out, "%*s  waits for the client at %s\n", (int)indent, "",
			      ip_endpoint_format(&session->client_leg.told, buf));
}

void client_print_sessions(const struct answers *answers, FILE *out)
{
	char buf[CLIENT_SHOWN_MAX];
	size_t widths[COLUMNS];

	for (enum column column = 0; column < COLUMNS; column++) {
		widths[column] = strlen(columns[column].head);
		for (size_t i = 0; i < answers->nsessions; i++) {
			size_t len = strlen(cell(&answers->sessions[i], column, buf));

			if (len > widths[column])
				widths[column] = len;
		}
	}
	fit(widths, width_of(out));
	for (enum column column = 0; column < COLUMNS; column++)
		print_cell(columns[column].head, column, widths[column], out);
	(void)fputc('\n', out);
	for (size_t i = 0; i < answers->nsessions; i++) {
		for (enum column column = 0; column < COLUMNS; column++)
			print_cell(cell(&answers->sessions[i], column, buf), column, widths[column], out);
		(void)fputc('\n', out);
		print_transfer(&answers->sessions[i], widths[SESSION], out);
		print_told(&answers->sessions[i], widths[SESSION], out);
	}
}

static void print_line(void *context, const char *label, const char *text)
{
	(void)fprintf(context, "%-12s %s\n", label, text);
}

void client_print_details(const struct answers *answers, FILE *out)
{
	for (size_t i = 0; i < answers->nsessions; i++) {
		if (i > 0)
			(void)fputc('\n', out);
		session_details(&answers->sessions[i], print_line, out);
	}
}
