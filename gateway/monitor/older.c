/*
 * Receives what replaced attlsds say of themselves, and orders that the one that the service
 * manager knows passes on. They are root's, but of other versions: a message of no known type
 * is ignored, and one of another form ends the link.
 */
#include "gateway/monitor/older.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "gateway/base/util.h"

static void older_free(struct deferred *deferred)
{
	struct older *older = CONTAINER_OF(deferred, struct older, deferred);

	free(older->counts);
	free(older);
}

static void remove_one(struct older *older)
{
	struct older_set *set = older->set;

	loop_unwatch(set->loop, &older->link);
	fd_close(&older->link.fd);
	DL_DELETE(set->head, older);
	set->n--;
	loop_defer_free(set->loop, &older->deferred);
}

static void note_facts(struct older *older, const struct handover_msg *msg)
{
	older->facts.pid = (int32_t)msg->number;
	older->facts.sessions = msg->second;
	older->facts.workers = (uint32_t)msg->third;
	older->facts.generation = msg->fourth;
	(void)snprintf(older->facts.version, sizeof(older->facts.version), "%.31s", msg->text);
}

static void on_link(struct watch *watch, uint32_t ready)
{
	struct older *older = CONTAINER_OF(watch, struct older, link);
	struct older_set *set = older->set;
	struct handover_msg msg;
	size_t nfds = 1;
	int fd = -1;
	int r = handover_receive(watch->fd, &msg, &fd, &nfds);

	(void)ready;
	if (r == -EAGAIN)
		return;
	if (r <= 0) {
		set->on_end(set->owner, older);
		remove_one(older);
		return;
	}
	if (msg.type == HANDOVER_FACTS)
		note_facts(older, &msg);
	set->on_message(set->owner, older, &msg, nfds > 0 ? fd : -1);
	if (nfds > 0)
		fd_close(&fd);
}

void older_init(struct older_set *set, struct loop *loop, void *owner, older_message_fn *on_message,
		older_end_fn *on_end)
{
	*set = (struct older_set){ .loop = loop, .owner = owner, .on_message = on_message, .on_end = on_end };
}

struct older *older_add(struct older_set *set, int *fd, const struct handover_older *facts)
{
	struct older *older = calloc(1, sizeof(*older));

	if (older == NULL) {
		fd_close(fd);
		return NULL;
	}
	older->set = set;
	older->facts = *facts;
	older->facts.version[sizeof(older->facts.version) - 1] = '\0';
	older->deferred.fn = older_free;
	watch_init(&older->link, on_link);
	older->link.fd = fd_take(fd);
	DL_APPEND(set->head, older);
	set->n++;
	return older;
}

int older_listen(struct older_set *set, bool on)
{
	struct older *older;
	int r = 0;

	DL_FOREACH (set->head, older)
		if (r == 0)
			r = loop_watch(set->loop, &older->link, on ? EPOLLIN : 0);
	return r;
}

int older_say(const struct older *older, enum handover_type type, uint64_t number, const char *text)
{
	struct handover_msg msg = { .type = type, .number = number };

	(void)snprintf(msg.text, sizeof(msg.text), "%s", text == NULL ? "" : text);
	return handover_send(older->link.fd, &msg, NULL, 0);
}

size_t older_sessions(const struct older_set *set)
{
	const struct older *older;
	size_t n = 0;

	DL_FOREACH (set->head, older)
		n += older->facts.sessions;
	return n;
}

void older_done(struct older_set *set)
{
	while (set->head != NULL)
		remove_one(set->head);
}
