/*
 * The timer of the seeds of session tickets, and their way to the workers. A worker that
 * is too busy to take a seed gets it a second later; until then it makes tickets with the
 * last one, which every worker knows.
 */
#include "gateway/monitor/ticket-source.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <utlist.h>

#include "gateway/base/msg.h"
#include "gateway/base/ticket-seeds.h"
#include "gateway/base/util.h"
#include "gateway/monitor/children.h"

#define RETRY_MS 1000
/* The wall clock may be set at any time. */
#define EPOCH_LOOK_MS 10000
#define MS_PER_S      1000

/* A worker that has this seed already ignores it. Returns as msg_send(). */
static int send_newest(const struct child *child, const struct tls_action *action,
		       const struct ticket_seeds *seeds)
{
	struct msg msg = {
		.type = MSG_TICKET_SEED,
		.serial = (uint32_t)action->index,
		.ticket = seeds->list[0],
	};
	int r = msg_send(child->channel.fd, &msg, -1);

	explicit_bzero(&msg, sizeof(msg));
	return r;
}

/* Returns false if the worker has no room for it now. One that has gone needs none. */
static bool tell_child(const struct child *child, const struct ticket_seeds *head)
{
	const struct policy *policy = child->generation->policy;
	bool told = true;

	for (size_t i = 0; i < policy->ntls_actions && child->channel.fd != -1; i++) {
		const struct tls_action *action = &policy->tls_actions[i];
		const struct ticket_seeds *seeds = ticket_seeds_find(head, action->session_ticket_rotation_s);

		if (seeds != NULL && action->session_ticket_keys == NULL &&
		    send_newest(child, action, seeds) == -EAGAIN)
			told = false;
	}
	return told;
}

static bool tell_all(const struct children *children)
{
	const struct generation *generation;
	bool told = true;

	DL_FOREACH (children->head, generation)
		for (size_t i = 0; i < generation->n; i++)
			told = tell_child(&generation->workers[i], children->tickets) && told;
	return told;
}

/* Without room for the timer the seeds stay as they are, and resumption goes on with them. */
static void wait_for_next(struct ticket_source *source)
{
	uint64_t next_ms = UINT64_MAX;

	if (source->held)
		return;
	for (const struct ticket_seeds *seeds = source->children->tickets; seeds != NULL;
	     seeds = seeds->next) {
		uint64_t due_ms = ticket_seeds_due_ms(seeds, source->loop->now_ms);

		if (due_ms < next_ms)
			next_ms = due_ms;
	}
	if (next_ms != UINT64_MAX)
		(void)loop_timer(source->loop, &source->timer, next_ms + 1);
}

static void on_timer(struct timer *timer)
{
	struct ticket_source *source = CONTAINER_OF(timer, struct ticket_source, timer);

	for (struct ticket_seeds *seeds = source->children->tickets; seeds != NULL; seeds = seeds->next)
		(void)ticket_seeds_rotate(seeds, source->loop->now_ms);
	if (tell_all(source->children))
		wait_for_next(source);
	else
		(void)loop_timer(source->loop, &source->timer, RETRY_MS); /* its place in the heap is there */
}

/* --- seeds that are made of secrets and the time --- */

/* Returns false if the worker has no room for all of it now. */
static bool send_set(const struct child *child, const struct ticket_set *set)
{
	struct msg msg = { .type = MSG_TICKET_PART, .serial = (uint32_t)set->action };
	int r = 0;

	for (size_t i = 0; i < set->n / TICKET_EPOCHS && r != -EAGAIN; i++) {
		ticket_set_part(set, i, &msg.tickets);
		r = msg_send(child->channel.fd, &msg, -1);
	}
	explicit_bzero(&msg, sizeof(msg));
	return r != -EAGAIN;
}

/* Each worker gets all sets again: what it has already changes nothing. */
static bool send_sets(const struct generation *generation)
{
	const struct ticket_sets *sets = generation->ticket_keys.sets;
	bool told = true;

	for (size_t i = 0; i < generation->n; i++)
		for (size_t j = 0; j < sets->n && generation->workers[i].channel.fd != -1; j++)
			told = send_set(&generation->workers[i], &sets->sets[j]) && told;
	return told;
}

static uint64_t now_s(void)
{
	time_t now = time(NULL);

	return now > 0 ? (uint64_t)now : 0;
}

static void look_at_time(struct ticket_source *source)
{
	struct generation *generation;
	uint64_t next_ms = UINT64_MAX;
	bool again = source->untold;

	source->untold = false;
	DL_FOREACH (source->children->head, generation) {
		const struct ticket_keys *keys = &generation->ticket_keys;
		uint64_t due_ms;

		if (keys->secrets == NULL)
			continue;
		due_ms = ticket_secrets_due_s(keys->secrets, generation->policy, now_s()) * MS_PER_S;
		/* a failure leaves the seeds of an epoch that has just ended, which are good for the next */
		if (ticket_secrets_derive(keys->secrets, generation->policy, now_s(), keys->sets) == 1 ||
		    again)
			source->untold = !send_sets(generation) || source->untold;
		next_ms = due_ms < next_ms ? due_ms : next_ms;
	}
	if (next_ms == UINT64_MAX)
		return;
	if (next_ms > EPOCH_LOOK_MS)
		next_ms = EPOCH_LOOK_MS;
	/* without memory for the timer, resumption ends after two epochs */
	(void)loop_timer(source->loop, &source->epoch,
			 source->untold && next_ms > RETRY_MS ? RETRY_MS : next_ms);
}

static void on_epoch(struct timer *timer)
{
	look_at_time(CONTAINER_OF(timer, struct ticket_source, epoch));
}

int ticket_source_init(struct ticket_source *source, struct loop *loop, struct children *children)
{
	*source = (struct ticket_source){ .loop = loop, .children = children };
	timer_init(&source->timer, on_timer);
	timer_init(&source->epoch, on_epoch);
	return getrandom(children->user_key, TLS_USER_KEY_BYTES, 0) == TLS_USER_KEY_BYTES ? 0 : -EIO;
}

static int make_sets(struct ticket_source *source, const struct policy *policy,
		     struct ticket_secrets **secrets, struct ticket_keys *ret)
{
	struct ticket_keys keys = { .secrets = *secrets, .sets = ticket_sets_new((*secrets)->n) };

	if (keys.sets == NULL || ticket_secrets_derive(keys.secrets, policy, now_s(), keys.sets) < 0 ||
	    loop_timer(source->loop, &source->epoch, 0) < 0) {
		ticket_sets_free(&keys.sets);
		return -ENOMEM;
	}
	*secrets = NULL;
	*ret = keys;
	return 0;
}

int ticket_source_prepare(struct ticket_source *source, const struct policy *policy,
			  struct ticket_secrets **secrets, struct ticket_keys *ret_keys)
{
	int r = *secrets == NULL ? 0 : make_sets(source, policy, secrets, ret_keys);

	for (size_t i = 0; i < policy->ntls_actions && r == 0; i++) {
		const struct tls_action *action = &policy->tls_actions[i];

		if (action->session_ticket_keys != NULL)
			continue;
		/* OpenSSL counts whole seconds, and the second in which a ticket expires is still good */
		r = ticket_seeds_need(&source->children->tickets, action->session_ticket_rotation_s,
				      ((uint64_t)action->session_timeout_s + 1) * MS_PER_S,
				      source->loop->now_ms);
	}
	wait_for_next(source);
	return r;
}

void ticket_source_hold(struct ticket_source *source, bool hold)
{
	source->held = hold;
	if (hold)
		loop_timer_stop(source->loop, &source->timer);
	else
		wait_for_next(source);
}

void ticket_source_done(struct ticket_source *source)
{
	loop_timer_stop(source->loop, &source->timer);
	loop_timer_stop(source->loop, &source->epoch);
	ticket_seeds_free(&source->children->tickets);
}
