/*
 * Questions to the monitor. Each has a number, which comes back with the socket for its
 * answers; client-answers.c judges them, since workers may lie. A worker that does not
 * answer delays a question by a bounded time, and the others' answers count.
 */
#include "gateway/http/asker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "gateway/base/msg.h"
#include "gateway/base/util.h"
#include "gateway/host/bounded-close.h"
#include "gateway/view/client-check.h"
#include "gateway/view/client-receive.h"

/* At once; the monitor answers no more of them. */
#define RUNNING_MAX 3
/* For all answers to one question. */
#define QUESTION_MS 3000
/* Packets that are read before other events get their turn. */
#define PACKETS_A_TURN 32

struct question {
	struct asker *asker;
	struct ask ask;
	bool sent;
	struct watch socket;
	struct timer deadline;
	struct answers answers;
	struct metrics *metrics; /* CTL_METRICS: what has come so far */
	bool metrics_whole;
	struct asker_wait *waiting;
	struct deferred deferred;
	struct question *next, *prev;
};

/* Nobody reads what is wrong with an answer: it is missing, which the reader sees. */
static const struct target silent = { .socket = NULL };

static void send_questions(struct asker *asker);

static void question_free(struct deferred *deferred)
{
	free(CONTAINER_OF(deferred, struct question, deferred));
}

static void finish(struct question *question)
{
	struct asker *asker = question->asker;
	const struct asker_result result = {
		.answers = question->answers.workers != NULL ? &question->answers : NULL,
		.metrics = question->metrics_whole ? question->metrics : NULL,
	};
	struct asker_wait *wait, *next;

	if (question->socket.fd != -1)
		loop_unwatch(asker->loop, &question->socket);
	bounded_close(&question->socket.fd);
	loop_timer_stop(asker->loop, &question->deadline);
	DL_DELETE(asker->questions, question);
	asker->running -= question->sent;
	client_answers_sort(&question->answers);
	for (wait = question->waiting; wait != NULL; wait = next) {
		next = wait->next;
		wait->fn(wait, &result);
	}
	client_answers_done(&question->answers);
	free(question->metrics);
	loop_defer_free(asker->loop, &question->deferred);
	send_questions(asker);
}

static void on_deadline(struct timer *timer)
{
	finish(CONTAINER_OF(timer, struct question, deadline));
}

/* Returns true if the question needs no more. */
static bool take_one(struct question *question, const struct answer *answer, pid_t sender)
{
	int r;

	if (question->metrics == NULL)
		return client_answers_take(&silent, &question->answers, answer, sender) < 0 ||
		       client_answers_are_all(&question->answers, question->ask.what);
	r = metrics_take(question->metrics, answer); /* only the monitor has the socket */
	question->metrics_whole = r == 1;
	return r != 0;
}

static bool take(struct question *question, struct client_packet *packet)
{
	const struct answer *answer;
	bool over = false;

	while (!over && (answer = client_packet_next(packet)) != NULL)
		over = take_one(question, answer, packet->sender);
	return over;
}

static void on_answer(struct watch *watch, uint32_t ready)
{
	struct question *question = CONTAINER_OF(watch, struct question, socket);
	struct client_packet packet;

	(void)ready;
	for (int i = 0; i < PACKETS_A_TURN; i++) {
		int n;

		bounded_begin(); /* a taken-over worker may send a descriptor along */
		n = client_receive(watch->fd, &packet);
		bounded_end();

		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			finish(question); /* all ends are closed */
			return;
		}
		if (take(question, &packet)) {
			finish(question);
			return;
		}
	}
}

static void send_questions(struct asker *asker)
{
	struct question *question;

	DL_FOREACH (asker->questions, question) {
		if (question->sent)
			continue;
		if (asker->running >= RUNNING_MAX)
			return;
		question->ask.session = ++asker->number;
		/* a pipe takes a question whole or not at all; if it is full, the deadline ends it */
		if (write(asker->pipe, &question->ask, sizeof(question->ask)) == -1)
			return;
		question->sent = true;
		asker->running++;
	}
}

static struct question *find(const struct asker *asker, uint64_t number)
{
	struct question *question;

	DL_FOREACH (asker->questions, question)
		if (question->sent && question->ask.session == number)
			return question;
	return NULL;
}

static void on_order(struct watch *watch, uint32_t ready)
{
	struct asker *asker = CONTAINER_OF(watch, struct asker, orders);
	struct question *question;
	struct msg msg;
	int fd;
	int r = msg_receive(watch->fd, &msg, &fd);

	(void)ready;
	if (r == -EAGAIN)
		return;
	if (r <= 0) {
		loop_unwatch(asker->loop, watch);
		asker->on_end(asker);
		return;
	}
	question = find(asker, msg.session);
	if (question == NULL || question->socket.fd != -1 || fd == -1) {
		fd_close(&fd); /* its deadline is over */
		return;
	}
	question->socket.fd = fd;
	if (loop_watch(asker->loop, &question->socket, EPOLLIN) < 0)
		finish(question);
}

int asker_init(struct asker *asker, struct loop *loop, int orders, int pipe,
	       void (*on_end)(struct asker *asker))
{
	*asker = (struct asker){ .loop = loop, .pipe = pipe, .on_end = on_end };
	watch_init(&asker->orders, on_order);
	asker->orders.fd = orders;
	return loop_watch(loop, &asker->orders, EPOLLIN);
}

static struct question *find_same(const struct asker *asker, const struct ask *ask)
{
	struct question *question;

	DL_FOREACH (asker->questions, question)
		if (!question->sent && question->ask.what == ask->what &&
		    memcmp(&question->ask.filter, &ask->filter, sizeof(ask->filter)) == 0)
			return question;
	return NULL;
}

static struct question *question_new(struct asker *asker, const struct ask *ask)
{
	struct question *question = calloc(1, sizeof(*question));

	if (question == NULL)
		return NULL;
	question->asker = asker;
	question->ask = *ask;
	question->deferred.fn = question_free;
	watch_init(&question->socket, on_answer);
	timer_init(&question->deadline, on_deadline);
	if (ask->what == CTL_METRICS)
		question->metrics = calloc(1, sizeof(*question->metrics));
	if ((ask->what == CTL_METRICS && question->metrics == NULL) ||
	    loop_timer(asker->loop, &question->deadline, QUESTION_MS) < 0) {
		free(question->metrics);
		free(question);
		return NULL;
	}
	DL_APPEND(asker->questions, question);
	return question;
}

int asker_ask(struct asker *asker, enum ctl_proto_what what, const struct session_filter *filter,
	      struct asker_wait *wait)
{
	struct question *question;
	struct ask ask;

	memset(&ask, 0, sizeof(ask)); /* it leaves the process, and is compared: no chance padding */
	ask.version = CTL_VERSION;
	ask.what = what;
	if (filter != NULL)
		ask.filter = *filter;
	question = find_same(asker, &ask);
	if (question == NULL)
		question = question_new(asker, &ask);
	if (question == NULL)
		return -ENOMEM;
	DL_APPEND(question->waiting, wait);
	send_questions(asker);
	return 0;
}
