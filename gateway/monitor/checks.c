/*
 * Looks at a timer which servers are due, and sends an order to a worker, if there are
 * several to another one than spoke about the server last: only what two of them say
 * takes a server down.
 */
#include "gateway/monitor/checks.h"

#include <sys/random.h>
#include <utlist.h>

#include "gateway/base/util.h"
#include "gateway/monitor/child-pick.h"

/* At a time, of all servers. */
#define RUNNING_MAX 16
/* The first checks begin within this time after a start. */
#define FIRST_MS 500
/* A worker that has not reported by then is stuck, or lies. */
#define SLACK_MS 5000
/* Until there is a worker, or room for another check. */
#define RETRY_MS 200
/* Nothing has to be checked: look again some time. */
#define IDLE_MS 3600000

/* Below n; 0 without random numbers. */
static uint64_t random_below(uint64_t n)
{
	uint32_t random = 0;

	/* the time between checks is no secret */
	if (n == 0 || getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		return 0;
	return random % n;
}

/* NULL: it is not checked. */
static const struct policy_health *health_of(const struct checks *checks, const struct backend_server *server)
{
	const struct policy_health *health;

	if (*checks->current == NULL || (*checks->current)->retired || !server->in_policy)
		return NULL;
	health = &(*checks->current)->policy->backends[server->at_backend].health;
	return health->check == HEALTH_CHECK_NONE ? NULL : health;
}

/* Whose word about the server is not wanted next. */
static pid_t last_word(const struct backend_server *server)
{
	const struct server_health *health = &server->health;

	if (server->check.silent) /* or it would be asked again and again, and nobody else */
		return server->check.worker;
	if (health->down && health->succeeded > 0)
		return health->succeeded_by;
	return health->failed > 0 ? health->failed_by : server->check.worker;
}

/* False: not now. */
static bool order(struct checks *checks, struct backend_server *server, const struct policy_health *health)
{
	struct generation *generation = *checks->current;
	struct child *child = generation_pick_other(generation, last_word(server), checks->last);
	uint64_t now_ms = checks->loop->now_ms;
	struct msg msg = { .type = MSG_CHECK,
			   .active = !server->health.down,
			   .check = { (uint32_t)server->at_backend, (uint32_t)server->at_server } };

	if (child == NULL)
		return false;
	if (++checks->last == 0)
		checks->last = 1;
	msg.serial = checks->last;
	if (msg_send(child->channel.fd, &msg, -1) < 0)
		return false;
	server->check.number = checks->last;
	server->check.worker = child->pid;
	server->check.silent = false;
	server->check.end_ms = now_ms + health->timeout_ms + SLACK_MS;
	/* a tenth more or less, so that checks of many servers and gateways do not meet */
	server->check.due_ms = now_ms + health->interval_ms * 9 / 10 + random_below(health->interval_ms / 5);
	return true;
}

static size_t count_running(const struct checks *checks)
{
	const struct backend_server *server;
	size_t n = 0;

	DL_FOREACH (checks->backends->head, server)
		n += server->check.number != 0;
	return n;
}

/* Returns when to look at it again. */
static uint64_t look(struct checks *checks, struct backend_server *server, size_t *running)
{
	const struct policy_health *health = health_of(checks, server);
	uint64_t now_ms = checks->loop->now_ms;

	if (server->check.number != 0 && now_ms >= server->check.end_ms) {
		server->check.number = 0;
		server->check.silent = true;
		(*running)--;
		server->check.due_ms = now_ms;
	}
	if (health == NULL)
		return UINT64_MAX;
	if (server->check.number != 0)
		return server->check.end_ms;
	if (server->check.due_ms == 0)
		server->check.due_ms = now_ms + random_below(FIRST_MS) + 1;
	if (now_ms < server->check.due_ms)
		return server->check.due_ms;
	if (server->disabled)
		return now_ms + health->interval_ms;
	if (*running >= RUNNING_MAX || !order(checks, server, health))
		return now_ms + RETRY_MS;
	(*running)++;
	return server->check.end_ms;
}

static void on_timer(struct timer *timer)
{
	struct checks *checks = CONTAINER_OF(timer, struct checks, timer);
	uint64_t now_ms = checks->loop->now_ms, next_ms = now_ms + IDLE_MS;
	size_t running = count_running(checks);
	struct backend_server *server;

	DL_FOREACH (checks->backends->head, server) {
		uint64_t at_ms = look(checks, server, &running);

		if (at_ms < next_ms)
			next_ms = at_ms;
	}
	/* its place in the heap is there */
	(void)loop_timer(checks->loop, timer, next_ms > now_ms ? next_ms - now_ms : 0);
}

void checks_init(struct checks *checks, struct loop *loop, struct backends *backends,
		 struct generation *const *current)
{
	*checks = (struct checks){ .loop = loop, .backends = backends, .current = current };
	timer_init(&checks->timer, on_timer);
}

void checks_hurry(struct checks *checks)
{
	/* without memory, the server is checked when it is its turn */
	(void)loop_timer(checks->loop, &checks->timer, 0);
}

void checks_take(struct checks *checks, uint32_t number, enum server_failure failure,
		 const struct backend_witness *witness)
{
	const struct policy_health *health;
	struct backend_server *server;

	DL_FOREACH (checks->backends->head, server)
		if (number != 0 && server->check.number == number && server->check.worker == witness->worker)
			break;
	if (server == NULL)
		return;
	server->check.number = 0;
	health = health_of(checks, server);
	if (health != NULL)
		backends_learn(server, health, failure, witness);
	checks_hurry(checks);
}

void checks_forget_worker(struct checks *checks, pid_t worker)
{
	struct backend_server *server;

	DL_FOREACH (checks->backends->head, server) {
		if (server->check.number == 0 || server->check.worker != worker)
			continue;
		server->check.number = 0;
		server->check.due_ms = checks->loop->now_ms;
		checks_hurry(checks);
	}
}
