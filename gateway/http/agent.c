/*
 * The agent reads nothing that a peer says. Many peers share one question to the monitor, and
 * places and times are limited, so whoever floods it only delays other balancers' checks.
 */
#include "gateway/http/agent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/util.h"
#include "gateway/net/netsock.h"
#include "gateway/view/client-ready.h"

/* A line is good for so long, and so the monitor hears at most so many questions. */
#define LINE_MS 250
/* For a peer to wait for its line, and for it to close after that. */
#define ANSWER_MS 4000
#define CLOSE_MS  1000
/* A peer that sends more than this gets a reset. */
#define PEER_BYTES_MAX	4096
#define ACCEPT_PAUSE_MS 100

/*
 * "drain" leaves a server to those that are bound to it, "maint" also sends these elsewhere. "ready"
 * takes both back, and "up" takes back "down". A weight of 0 is for a moment, so it is not "drain".
 */
static const char *const words[READINESS_STATES] = {
	[READINESS_SILENT] = "down",	[READINESS_STARTING] = "down",	[READINESS_MAINTENANCE] = "drain",
	[READINESS_DRAINING] = "maint", [READINESS_NO_AUDIT] = "down",	[READINESS_NO_WORKER] = "down",
	[READINESS_FULL] = "ready up",	[READINESS_READY] = "ready up",
};

void agent_line(const struct answers *answers, char ret[static AGENT_LINE_MAX])
{
	enum readiness readiness = client_ready_judge(answers);
	struct answer_gateway gateway;
	const char *word = words[readiness];

	if (readiness == READINESS_MAINTENANCE && answers->gateway.refusing != 0)
		word = words[READINESS_DRAINING];
	if (answers == NULL) {
		(void)snprintf(ret, AGENT_LINE_MAX, "%s\n", word);
		return;
	}
	gateway = answers->gateway;
	gateway.sessions = client_answers_sessions(answers);
	(void)snprintf(ret, AGENT_LINE_MAX, "%s %u%%\n", word, readiness_weight(&gateway));
}

static void listen_if_room(struct agent *agent)
{
	bool room = agent->hears_more && agent->nlinks < AGENT_LINKS_MAX && !timer_is_armed(&agent->pause);

	if (agent->listener.fd != -1)
		/* cannot fail: removing needs nothing, and epoll knows it already */
		(void)loop_watch(agent->loop, &agent->listener, room ? EPOLLIN : 0);
}

static void close_link(struct agent_link *link)
{
	loop_unwatch(link->agent->loop, &link->watch);
	loop_timer_stop(link->agent->loop, &link->timer);
	fd_close(&link->watch.fd);
	link->agent->nlinks--;
	listen_if_room(link->agent);
}

static void tell(struct agent_link *link)
{
	struct agent *agent = link->agent;
	size_t len = strlen(agent->line);

	/* the line fits into an empty socket */
	if (send(link->watch.fd, agent->line, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len ||
	    shutdown(link->watch.fd, SHUT_WR) == -1) {
		close_link(link);
		return;
	}
	link->told =
	    true; /* closing before the peer would reset what it has not read, if it has sent something */
	(void)loop_timer(agent->loop, &link->timer, CLOSE_MS); /* it is armed: needs no memory */
}

static void on_answer(struct asker_wait *wait, const struct asker_result *result)
{
	struct agent *agent = CONTAINER_OF(wait, struct agent, wait);

	agent->waits = false;
	agent->line_ms = agent->loop->now_ms;
	agent_line(result->answers, agent->line);
	for (size_t i = 0; i < AGENT_LINKS_MAX; i++)
		if (agent->links[i].watch.fd != -1 && !agent->links[i].told)
			tell(&agent->links[i]);
}

static void on_late(struct timer *timer)
{
	close_link(CONTAINER_OF(timer, struct agent_link, timer));
}

/* The peer closes, or says something that nobody asked for. */
static void on_link(struct watch *watch, uint32_t ready)
{
	struct agent_link *link = CONTAINER_OF(watch, struct agent_link, watch);
	char bytes[PEER_BYTES_MAX];
	ssize_t n = recv(watch->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)ready;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || n == (ssize_t)sizeof(bytes))
		close_link(link);
}

/* Takes the descriptor over. */
static void add_link(struct agent *agent, int *fd)
{
	struct agent_link *link = agent->links;

	while (link->watch.fd != -1)
		link++;
	link->told = false;
	link->watch.fd = fd_take(fd);
	agent->nlinks++;
	if (loop_watch(agent->loop, &link->watch, EPOLLIN) < 0 ||
	    loop_timer(agent->loop, &link->timer, ANSWER_MS) < 0) {
		close_link(link);
		return;
	}
	if (agent->line[0] != '\0' && agent->loop->now_ms - agent->line_ms < LINE_MS)
		tell(link);
	else if (!agent->waits && asker_ask(agent->asker, CTL_STATUS, NULL, &agent->wait) == 0)
		agent->waits = true;
}

static void on_listener(struct watch *watch, uint32_t ready)
{
	struct agent *agent = CONTAINER_OF(watch, struct agent, listener);
	struct ip_endpoint peer;

	(void)ready;
	while (agent->nlinks < AGENT_LINKS_MAX) {
		int fd = netsock_accept(watch->fd, &peer);

		if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS)
			/* without a pause, the peer that waits would wake this process all the time */
			(void)loop_timer(agent->loop, &agent->pause, ACCEPT_PAUSE_MS);
		if (fd == -EAGAIN || timer_is_armed(&agent->pause))
			break;
		if (fd >= 0)
			add_link(agent, &fd);
	}
	listen_if_room(agent);
}

static void on_pause(struct timer *timer)
{
	listen_if_room(CONTAINER_OF(timer, struct agent, pause));
}

int agent_start(struct agent *agent, struct loop *loop, struct asker *asker, int listener)
{
	*agent = (struct agent){ .loop = loop, .asker = asker, .wait.fn = on_answer, .hears_more = true };
	for (size_t i = 0; i < AGENT_LINKS_MAX; i++) {
		watch_init(&agent->links[i].watch, on_link);
		timer_init(&agent->links[i].timer, on_late);
		agent->links[i].agent = agent;
	}
	timer_init(&agent->pause, on_pause);
	watch_init(&agent->listener, on_listener);
	agent->listener.fd = listener;
	return loop_watch(loop, &agent->listener, EPOLLIN);
}

void agent_quiesce(struct agent *agent)
{
	agent->hears_more = false;
	loop_timer_stop(agent->loop, &agent->pause);
	if (agent->listener.fd != -1)
		loop_unwatch(agent->loop, &agent->listener);
	agent->listener.fd = -1;
}
