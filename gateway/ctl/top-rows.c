/*
 * Sorts, searches and formats sessions for `attlsctl top`. All names are escaped before
 * they are cut, so that no client can drive the terminal.
 */
#include "gateway/ctl/top-rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/view/client-text.h"
#include "gateway/view/session-words.h"

/* The columns that grow where the terminal is wide. */
#define CLIENT_MIN 15
#define CLIENT_MAX 39
#define USER_MIN   10
#define USER_MAX   20
#define WIDTH_MIN  80

const char *top_sort_name(enum top_sort sort)
{
	static const char *const names[TOP_SORTS] = {
		[TOP_SORT_RATE] = "rate", [TOP_SORT_AGE] = "age", [TOP_SORT_BYTES] = "bytes"
	};

	return names[sort];
}

static int compare(const void *a, const void *b, void *context)
{
	const struct answer_session *x = a, *y = b;
	uint64_t of_x = 0, of_y = 0;

	switch (*(const enum top_sort *)context) {
	case TOP_SORT_RATE:
		of_x = x->rate, of_y = y->rate;
		break;
	case TOP_SORT_AGE:
		of_x = x->age_ms, of_y = y->age_ms;
		break;
	case TOP_SORT_BYTES:
		of_x = x->bytes, of_y = y->bytes;
		break;
	case TOP_SORTS:
		break;
	}
	if (of_x != of_y)
		return of_x > of_y ? -1 : 1;
	return x->session < y->session ? -1 : x->session > y->session;
}

void top_rows_sort(struct answers *answers, enum top_sort sort)
{
	if (answers->nsessions > 0)
		qsort_r(answers->sessions, answers->nsessions, sizeof(*answers->sessions), compare, &sort);
}

static const char *command_of(const struct answer_session *session)
{
	return session->transfer[0] != '\0' ? session->transfer : session->command;
}

static bool has_text(const struct answer_session *session, const char *text)
{
	char client[IP_TEXT_MAX];

	(void)ip_endpoint_format(&session->remote, client);
	return strcasestr(client, text) != NULL || strcasestr(session->user, text) != NULL ||
	       strcasestr(session->rule, text) != NULL || strcasestr(session->backend, text) != NULL ||
	       strcasestr(session->listener, text) != NULL || strcasestr(command_of(session), text) != NULL;
}

size_t top_rows_search(struct answers *answers, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < answers->nsessions; i++) {
		if (text[0] != '\0' && !has_text(&answers->sessions[i], text))
			continue;
		if (n != i)
			answers->sessions[n] = answers->sessions[i];
		n++;
	}
	answers->nsessions = n;
	return n;
}

const char *top_rows_bar(int percent, bool utf8, char buf[static TOP_BAR_MAX])
{
	const char *full = utf8 ? "\xe2\x96\x88" : "#", *empty = utf8 ? "\xe2\x96\x91" : ".";
	int cells = percent < 0 ? 0 : percent > 100 ? TOP_BAR_CELLS : percent * TOP_BAR_CELLS / 100;

	size_t at = 0;

	for (int i = 0; i < TOP_BAR_CELLS; i++)
		at += (size_t)snprintf(buf + at, TOP_BAR_MAX - at, "%s",
				       percent < 0 ? " "
				       : i < cells ? full
						   : empty);
	return buf;
}

/* An escaped text, cut to a width. */
static const char *cut(const char *text, size_t width, char buf[static CLIENT_SHOWN_MAX])
{
	(void)client_text_shown(text[0] != '\0' ? text : "-", buf);
	if (strlen(buf) > width)
		(void)snprintf(buf + (width > 2 ? width - 2 : 0), 3, "..");
	return buf;
}

struct widths {
	int client, user;
};

/* Wide terminals show whole IPv6 addresses and longer names. */
static struct widths widths_for(size_t width)
{
	size_t spare = width > WIDTH_MIN ? (width - WIDTH_MIN) / 2 : 0;
	size_t more = spare < CLIENT_MAX - CLIENT_MIN ? spare : CLIENT_MAX - CLIENT_MIN;
	size_t user = spare - more < USER_MAX - USER_MIN ? spare - more : USER_MAX - USER_MIN;

	return (struct widths){ .client = (int)(CLIENT_MIN + more), .user = (int)(USER_MIN + user) };
}

const char *top_rows_heading(size_t width, char buf[static TOP_ROW_MAX])
{
	struct widths w = widths_for(width);

	(void)snprintf(buf, TOP_ROW_MAX, "%-*s %-*s %-4s %6s %9s %-*s %4s %6s %s", w.client, "CLIENT", w.user,
		       "USER", "CTRL", "AGE", "RATE/S", TOP_BAR_CELLS, "DONE", "", "LEFT", "COMMAND");
	return buf;
}

const char *top_rows_format(const struct answer_session *session, size_t width, bool utf8,
			    char buf[static TOP_ROW_MAX])
{
	struct widths w = widths_for(width);
	bool transfers = session->transfer[0] != '\0';
	int percent = session_percent(session);
	char client[IP_TEXT_MAX], address[CLIENT_SHOWN_MAX], user[CLIENT_SHOWN_MAX], age[CLIENT_AGE_MAX],
	    rate[CLIENT_AGE_MAX], bar[TOP_BAR_MAX], command[CLIENT_SHOWN_MAX], left[CLIENT_AGE_MAX],
	    letters[SESSION_LETTERS_MAX], done[16] = "";
	size_t used = (size_t)(w.client + w.user) + 4 + 6 + 9 + TOP_BAR_CELLS + 4 + 6 + 8;
	uint64_t left_ms;

	if (percent >= 0)
		(void)snprintf(done, sizeof(done), "%d%%", percent);
	(void)snprintf(buf, TOP_ROW_MAX, "%-*s %-*s %-4s %6s %9s %s %4s %6s %s", w.client,
		       cut(ip_addr_format(&session->remote.addr, client), (size_t)w.client, address), w.user,
		       cut(session->user, (size_t)w.user, user),
		       session_letters(session->client_leg.control, session->server_leg.control, letters),
		       client_text_age(session->age_ms, age),
		       transfers ? client_text_size(session->rate, rate) : "-",
		       top_rows_bar(percent, utf8, bar), done,
		       session_left(session, &left_ms) ? client_text_age(left_ms, left) : "",
		       cut(command_of(session), width > used + 2 ? width - used : 2, command));
	return buf;
}
