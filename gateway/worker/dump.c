/*
 * The connections of operators that read a list, to which this worker writes as fast
 * as they read. The files that start a dump decide what the list holds.
 */
#include "gateway/worker/dump.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

#include "gateway/base/util.h"
#include "gateway/worker/context.h"

/* Connections at once. */
static const size_t dumps_max[ASKERS] = {
	[ASKER_OPERATOR] = 16,
	[ASKER_MEMBER] = 8,
	[ASKER_HTTP] = 4,
};
/* Packets written in one turn. */
#define PACKETS_PER_TURN 4
/* Give up on a reader that reads nothing for this time. */
#define STILL_MS 10000

struct dump {
	struct worker *worker;
	uint32_t asker; /* enum msg_asker */
	dump_next_fn *next_answer;
	struct watch watch;
	struct timer timer;
	struct deferred deferred;
	struct session_filter filter;
	uint64_t at;	  /* the place of the last item in a packet */
	uint64_t items;	  /* how many there were */
	uint64_t packets; /* that were written */
	size_t n;	  /* answers in the packet that is next */
	bool last;	  /* it has ANSWER_LIST_END */
	struct dump *next, *prev;
	struct answer packet[ANSWERS_A_PACKET];
};

static void dump_free(struct deferred *deferred)
{
	free(CONTAINER_OF(deferred, struct dump, deferred));
}

static void dump_end(struct dump *dump)
{
	struct worker *worker = dump->worker;

	loop_unwatch(&worker->loop, &dump->watch);
	fd_close(&dump->watch.fd);
	loop_timer_stop(&worker->loop, &dump->timer);
	DL_DELETE(worker->dumps, dump);
	worker->ndumps[dump->asker]--;
	loop_defer_free(&worker->loop, &dump->deferred);
}

static void fill_packet(struct dump *dump)
{
	while (dump->n < ANSWERS_A_PACKET &&
	       dump->next_answer(dump->worker, &dump->filter, &dump->at, &dump->packet[dump->n])) {
		dump->n++;
		dump->items++;
	}
	if (dump->n == ANSWERS_A_PACKET)
		return;
	dump->last = true;
	ctl_proto_begin(&dump->packet[dump->n], ANSWER_LIST_END);
	dump->packet[dump->n].u.list_end.pid = (int32_t)getpid();
	dump->packet[dump->n++].u.list_end.n = dump->items;
}

/* Returns 1 when all is sent, 0 when there is more, or a negative errno. */
static int write_some(struct dump *dump)
{
	for (int i = 0; i < PACKETS_PER_TURN; i++) {
		int r;

		if (dump->n == 0) /* otherwise the reader had no room for it */
			fill_packet(dump);
		r = ctl_proto_send_packet(dump->watch.fd, dump->packet, dump->n * sizeof(dump->packet[0]));
		if (r < 0)
			return r;
		dump->n = 0;
		dump->packets++;
		if (dump->last)
			return 1;
	}
	return 0;
}

static void on_dump(struct watch *watch, uint32_t ready)
{
	struct dump *dump = CONTAINER_OF(watch, struct dump, watch);
	struct loop *loop = &dump->worker->loop;
	uint64_t before = dump->packets;
	int r = write_some(dump);

	(void)ready;
	if (dump->packets > before && loop_timer(loop, &dump->timer, STILL_MS) < 0)
		r = -ENOMEM;
	/* there is room now, so do not wait for it */
	if (r == 0 && loop_watch(loop, watch, 0) == 0)
		loop_again(loop, watch);
	else if (r != -EAGAIN || loop_watch(loop, watch, EPOLLOUT) < 0)
		dump_end(dump);
}

static void on_timer(struct timer *timer)
{
	dump_end(CONTAINER_OF(timer, struct dump, timer));
}

void dump_start(struct worker *worker, int *fd, dump_next_fn *next, const struct msg *msg)
{
	uint32_t asker = msg->asker;
	bool room = *fd != -1 && asker < ASKERS && worker->ndumps[asker] < dumps_max[asker];
	struct dump *dump = room ? calloc(1, sizeof(*dump)) : NULL;

	if (dump == NULL) {
		fd_close(fd);
		return;
	}
	dump->worker = worker;
	dump->asker = asker;
	dump->next_answer = next;
	dump->filter = msg->filter;
	dump->deferred.fn = dump_free;
	watch_init(&dump->watch, on_dump);
	dump->watch.bulk = true;
	timer_init(&dump->timer, on_timer);
	dump->watch.fd = fd_take(fd);
	DL_APPEND(worker->dumps, dump);
	worker->ndumps[dump->asker]++;
	if (loop_timer(&worker->loop, &dump->timer, STILL_MS) < 0)
		dump_end(dump);
	else
		loop_again(&worker->loop, &dump->watch);
}

void dumps_done(struct worker *worker)
{
	while (worker->dumps != NULL)
		dump_end(worker->dumps);
}
