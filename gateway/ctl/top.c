/*
 * `attlsctl top`: asks attlsd for the sessions again and again, shows them, and carries
 * out keys. What goes wrong is shown on the screen, and the next question may succeed:
 * attlsd may have been started again.
 */
#include "gateway/ctl/top.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/loop.h"
#include "gateway/base/memory-file.h"
#include "gateway/base/util.h"
#include "gateway/ctl/filter-names.h"
#include "gateway/ctl/top-rows.h"
#include "gateway/ctl/top-screen.h"
#include "gateway/ctl/top-trace.h"
#include "gateway/view/client-text.h"
#include "gateway/view/client.h"

/* Between two questions; longer if the answers take their time, so that top takes a tenth of it at most. */
#define INTERVAL_MS	 1000
#define INTERVALS	 10
#define ORDER_TIMEOUT_MS 15000
/* Keys wait for the answers, so top does not wait for long for a worker that hangs. */
#define PATIENCE_MS    300
#define LINE_MAX_BYTES 512
/* Between two questions about the servers of backends that have several. */
#define SERVERS_MS 5000

enum mode { MODE_LIST = 0, MODE_DETAILS, MODE_SEARCH, MODE_END };

struct top {
	const struct target *target;
	struct session_filter filter;
	struct answers answers; /* of the last question that was answered */
	enum top_sort sort;
	enum mode mode;
	char search[TOP_SEARCH_MAX];
	size_t all; /* sessions before the search */
	size_t selected, first;
	uint64_t chosen; /* the number of the selected session, which keeps it selected */
	int stderr_is;	 /* what is printed to stderr meanwhile */
	int stderr_was;	 /* the terminal's */
	char said[LINE_MAX_BYTES];
	bool failed, over;
	char servers[160]; /* those that are down; "": none */
	uint64_t next_ms, servers_ms;
};

/* The next text may then follow. */
static void drop_said(struct top *top)
{
	(void)!ftruncate(top->stderr_is, 0);
	(void)lseek(top->stderr_is, 0, SEEK_SET);
}

/* What client.c has printed belongs onto the screen: its first line, without the program and the socket. */
static void take_said(struct top *top)
{
	char text[LINE_MAX_BYTES], shown[CLIENT_SHOWN_MAX];
	char prefix[LINE_MAX_BYTES];
	ssize_t n = pread(top->stderr_is, text, sizeof(text) - 1, 0);
	const char *from = text;

	(void)snprintf(prefix, sizeof(prefix), "attlsctl: %s: ", top->target->socket);
	drop_said(top);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (strncmp(text, prefix, strlen(prefix)) == 0)
		from += strlen(prefix);
	(void)snprintf(top->said, sizeof(top->said), "%s", client_text_shown(from, shown));
}

/* The rows have changed: find the chosen session again. */
static void select_again(struct top *top)
{
	for (size_t i = 0; i < top->answers.nsessions; i++)
		if (top->answers.sessions[i].session == top->chosen)
			top->selected = i;
	if (top->selected >= top->answers.nsessions)
		top->selected = top->answers.nsessions > 0 ? top->answers.nsessions - 1 : 0;
}

/* What is missing on the screen. */
static void say_silent(struct top *top)
{
	for (size_t i = 0; i < top->answers.nworkers; i++)
		if (client_is_silent(&top->answers.workers[i]))
			(void)snprintf(top->said, sizeof(top->said),
				       "worker %d does not answer: its sessions (%" PRIu64 ") are missing",
				       (int)top->answers.workers[i].worker.pid,
				       top->answers.workers[i].worker.sessions);
}

/* Not worth a message if it fails: the sessions are there, and the next question may succeed. */
static void ask_servers(struct top *top)
{
	const struct answer_backend *first = NULL;
	struct answers answers;
	size_t down = 0;

	if (loop_clock_ms() < top->servers_ms)
		return;
	top->servers_ms = loop_clock_ms() + SERVERS_MS;
	if (client_collect(top->target, CTL_BACKENDS, NULL, &answers) < 0) {
		drop_said(top);
		client_answers_done(&answers);
		return;
	}
	for (size_t i = 0; i < answers.nbackends; i++) {
		if (answers.backends[i].state != BACKEND_STATE_DOWN)
			continue;
		down++;
		first = first != NULL ? first : &answers.backends[i];
	}
	top->servers[0] = '\0';
	if (first != NULL)
		(void)snprintf(top->servers, sizeof(top->servers), "; servers down: %zu of %zu (%.80s)", down,
			       answers.nbackends, first->address);
	client_answers_done(&answers);
}

static void ask(struct top *top)
{
	struct answers answers;
	uint64_t begin_ms = loop_clock_ms(), took_ms;
	int r;

	r = client_collect(top->target, CTL_SESSIONS, &top->filter, &answers);
	take_said(top);
	top->failed = r < 0;
	if (r == 0) {
		client_answers_done(&top->answers);
		top->answers = answers;
		top->all = answers.nsessions;
		(void)top_rows_search(&top->answers, top->search);
		top_rows_sort(&top->answers, top->sort);
		select_again(top);
		say_silent(top);
		ask_servers(top);
	} else {
		client_answers_done(&answers);
	}
	took_ms = loop_clock_ms() - begin_ms;
	top->next_ms =
	    loop_clock_ms() + (took_ms * INTERVALS > INTERVAL_MS ? took_ms * INTERVALS : INTERVAL_MS);
}

static const struct answer_session *selected(const struct top *top)
{
	return top->selected < top->answers.nsessions ? &top->answers.sessions[top->selected] : NULL;
}

static void put_title(const struct top *top, char buf[static LINE_MAX_BYTES])
{
	const struct answer_gateway *gateway = &top->answers.gateway;
	uint64_t transfers = 0, rate = 0;
	char up[CLIENT_AGE_MAX], speed[CLIENT_AGE_MAX];

	for (size_t i = 0; i < top->answers.nsessions; i++) {
		transfers += top->answers.sessions[i].transfer[0] != '\0';
		rate += top->answers.sessions[i].rate;
	}
	(void)snprintf(buf, LINE_MAX_BYTES,
		       "attlsd %s, up %s: %" PRIu64 " of %" PRIu64 " sessions%s; shown: %zu, %" PRIu64
		       " transfers, %s/s",
		       gateway->version, client_text_age(gateway->up_ms, up), gateway->sessions,
		       gateway->limit, gateway->draining ? ", draining" : "", top->answers.nsessions,
		       transfers, client_text_size(rate, speed));
}

static void put_second(const struct top *top, char buf[static LINE_MAX_BYTES])
{
	if (top->said[0] != '\0')
		(void)snprintf(buf, LINE_MAX_BYTES, "%s", top->said);
	else
		(void)snprintf(buf, LINE_MAX_BYTES, "sorted by %s%s%s%s%s", top_sort_name(top->sort),
			       top->filter.transfers ? ", transfers only" : "",
			       top->search[0] != '\0' ? ", with: " : "", top->search, top->servers);
}

static void put_last(const struct top *top, char buf[static LINE_MAX_BYTES])
{
	const struct answer_session *session = selected(top);
	char user[CLIENT_SHOWN_MAX], client[IP_TEXT_MAX];

	if (session != NULL && session->session != top->chosen)
		session = NULL; /* the chosen one has ended while the question stood */
	switch (top->mode) {
	case MODE_LIST:
		(void)snprintf(buf, LINE_MAX_BYTES,
			       "r/a/b sort  t transfers  / search  Enter all  w trace  e end  q quit");
		return;
	case MODE_DETAILS:
		(void)snprintf(buf, LINE_MAX_BYTES, "Esc back  w trace  e end  q quit");
		return;
	case MODE_SEARCH:
		(void)snprintf(buf, LINE_MAX_BYTES, "search: %s_  (Enter keeps it, Esc clears it)",
			       top->search);
		return;
	case MODE_END:
		(void)snprintf(buf, LINE_MAX_BYTES, "end session %" PRIu64 " of %.40s from %s? y/n",
			       top->chosen, session != NULL ? client_text_name(session->user, user) : "-",
			       session != NULL ? ip_endpoint_format(&session->remote, client) : "-");
		return;
	}
}

static void draw(struct top *top)
{
	char title[LINE_MAX_BYTES], second[LINE_MAX_BYTES], last[LINE_MAX_BYTES];
	size_t rows = top_screen_rows();

	if (top->selected < top->first)
		top->first = top->selected;
	if (top->selected >= top->first + rows)
		top->first = top->selected - rows + 1;
	put_title(top, title);
	put_second(top, second);
	put_last(top, last);
	top_screen_draw(&(struct top_view){ .answers = &top->answers,
					    .title = title,
					    .second = second,
					    .last = last,
					    .alarm = top->said[0] != '\0' || top->servers[0] != '\0',
					    .selected = top->selected,
					    .first = top->first,
					    .details = top->mode == MODE_DETAILS });
}

/* The session may have gone meanwhile: then attlsd says so. */
static void end_chosen(struct top *top)
{
	const struct session_filter filter = { .session = top->chosen };
	struct answer answer;
	int r = client_order(top->target, CTL_END, &filter, ORDER_TIMEOUT_MS, &answer);

	take_said(top);
	if (r == 0)
		(void)snprintf(top->said, sizeof(top->said), "%.256s", answer.u.text);
	draw(top);
	top->next_ms = loop_clock_ms() + INTERVAL_MS; /* time to read it */
}

static void move(struct top *top, size_t to)
{
	size_t n = top->answers.nsessions;

	top->selected = to < n ? to : n > 0 ? n - 1 : 0;
	if (selected(top) != NULL)
		top->chosen = selected(top)->session;
}

static void watch_chosen(struct top *top)
{
	top_screen_leave();
	top_trace(top->target, top->chosen, top->stderr_was);
	top_screen_return();
}

static void on_letter(struct top *top, char c)
{
	switch (c) {
	case 'q':
		top->over = true;
		break;
	case 'r':
		top->sort = TOP_SORT_RATE;
		break;
	case 'a':
		top->sort = TOP_SORT_AGE;
		break;
	case 'b':
		top->sort = TOP_SORT_BYTES;
		break;
	case 't':
		top->filter.transfers = !top->filter.transfers;
		break;
	case '/':
		top->mode = MODE_SEARCH;
		break;
	case 'e':
		if (selected(top) != NULL) {
			move(top, top->selected);
			top->mode = MODE_END;
		}
		return;
	case 'w':
		if (selected(top) == NULL)
			return;
		move(top, top->selected);
		watch_chosen(top);
		break;
	default:
		return;
	}
	top->next_ms = 0;
}

static void on_search_key(struct top *top, enum top_key key, char c)
{
	size_t len = strlen(top->search);

	if (key == TOP_KEY_TEXT && len + 1 < sizeof(top->search)) {
		top->search[len] = c;
		top->search[len + 1] = '\0';
	} else if (key == TOP_KEY_ERASE && len > 0) {
		top->search[len - 1] = '\0';
	} else if (key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE) {
		if (key == TOP_KEY_ESCAPE)
			top->search[0] = '\0';
		top->mode = MODE_LIST;
	}
	top->next_ms = 0;
}

/* In the list, or in the details of one row. */
static void on_list_key(struct top *top, enum top_key key, char c)
{
	size_t page = top_screen_rows();

	switch (key) {
	case TOP_KEY_NONE:
	case TOP_KEY_RESIZE:
	case TOP_KEY_ERASE:
		return;
	case TOP_KEY_TEXT:
		on_letter(top, c);
		return;
	case TOP_KEY_UP:
		move(top, top->selected > 0 ? top->selected - 1 : 0);
		return;
	case TOP_KEY_DOWN:
		move(top, top->selected + 1);
		return;
	case TOP_KEY_PAGE_UP:
		move(top, top->selected > page ? top->selected - page : 0);
		return;
	case TOP_KEY_PAGE_DOWN:
		move(top, top->selected + page);
		return;
	case TOP_KEY_HOME:
		move(top, 0);
		return;
	case TOP_KEY_LAST:
		move(top, SIZE_MAX);
		return;
	case TOP_KEY_ESCAPE:
		top->mode = MODE_LIST;
		return;
	case TOP_KEY_ENTER:
		if (selected(top) == NULL)
			return;
		move(top, top->selected);
		top->mode = MODE_DETAILS;
		return;
	}
}

static void on_key(struct top *top, enum top_key key, char c)
{
	if (key == TOP_KEY_NONE || key == TOP_KEY_RESIZE)
		return;
	if (top->mode == MODE_SEARCH) {
		on_search_key(top, key, c);
		return;
	}
	if (top->mode == MODE_END) {
		top->mode = MODE_LIST;
		if (key == TOP_KEY_TEXT && (c == 'y' || c == 'Y'))
			end_chosen(top);
		return;
	}
	on_list_key(top, key, c);
}

/* Until the next question. */
static int wait_ms(const struct top *top)
{
	uint64_t now = loop_clock_ms();

	return top->next_ms > now ? (int)(top->next_ms - now) : 0;
}

static void loop(struct top *top)
{
	enum top_key key;
	char c = '\0';

	while (!top->over) {
		if (loop_clock_ms() >= top->next_ms)
			ask(top);
		draw(top);
		key = top_screen_key(wait_ms(top), &c);
		on_key(top, key, c);
	}
}

int top_run(const struct target *target, const struct session_filter *filter)
{
	const struct target hasty = { .socket = target->socket,
				      .policy = target->policy,
				      .patience_ms = PATIENCE_MS };
	struct top top = { .target = &hasty, .filter = *filter };
	int status = EXIT_FAILURE;

	/* an attlsd that cannot be reached now is not worth a screen, nor is a typing error */
	if (client_collect(target, CTL_SESSIONS, filter, &top.answers) < 0 ||
	    (top.answers.nsessions == 0 && filter_names_check(target, filter) < 0)) {
		client_answers_done(&top.answers);
		return EXIT_FAILURE;
	}
	top.stderr_is = memory_file("stderr");
	top.stderr_was = dup(STDERR_FILENO);
	if (top.stderr_is < 0 || top.stderr_was == -1) {
		(void)fprintf(stderr, "attlsctl: top cannot keep messages off its screen: %s\n",
			      strerror(top.stderr_is < 0 ? -top.stderr_is : errno));
	} else if (top_screen_begin() == 0) {
		(void)dup2(top.stderr_is, STDERR_FILENO);
		loop(&top);
		top_screen_end();
		(void)dup2(top.stderr_was, STDERR_FILENO);
		status = EXIT_SUCCESS;
	}
	fd_close(&top.stderr_was);
	if (top.stderr_is >= 0)
		fd_close(&top.stderr_is);
	client_answers_done(&top.answers);
	return status;
}
