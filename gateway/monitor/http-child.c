/*
 * The life of the HTTP process: started with a policy, replaced at a reload, restarted
 * when it dies. It asks through a pipe, which cannot carry descriptors, and gets a socket
 * for each question; nothing is received from a socket that it has, since closing a
 * descriptor that comes along could block the monitor (SO_LINGER).
 */
#include "gateway/monitor/http-child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/chart-memory.h"
#include "gateway/base/log.h"
#include "gateway/base/msg.h"
#include "gateway/base/util.h"
#include "gateway/host/bounded-close.h"
#include "gateway/monitor/http-start.h"

/* Since Linux 6.16: whether a socket takes descriptors. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

/* Each question costs all workers time, so there are so many at once, and in a second. */
#define QUESTIONS_AT_ONCE  20
#define QUESTIONS_A_SECOND 8
#define PAUSE_MS	   (1000 / QUESTIONS_A_SECOND)
/* It asks for the counts of its charts more often than this. */
#define HANG_MS 60000
/* Before a restart; doubled each time, and back to the first after a life of HEALTHY_MS. */
#define RESTART_S     1
#define RESTART_MAX_S 60
#define HEALTHY_MS    60000
/* For a process that was replaced to finish its answers. */
#define OLD_END_MS 10000

static void start(struct http_child *http);

static void hang_up(struct http_child *http)
{
	if (http->questions.fd != -1)
		loop_unwatch(http->loop, &http->questions);
	fd_close(&http->questions.fd);
	fd_close(&http->orders);
	loop_timer_stop(http->loop, &http->pause);
}

static void kill_process(pid_t pid)
{
	if (pid != 0)
		(void)kill(pid, SIGKILL); /* it may be dead already, and nobody has waited for it */
}

/* Its death is handled when the signal comes. */
static void kill_for(struct http_child *http, const char *reason)
{
	log_event(LOG_LEVEL_ERROR, "http-killed", LOG_NUMBER("pid", http->pid), LOG_TEXT("reason", reason));
	hang_up(http);
	kill_process(http->pid);
}

static void restart_later(struct http_child *http)
{
	/* without memory for a timer, the next reload starts the process */
	(void)loop_timer(http->loop, &http->timer, http->pause_s * UINT64_C(1000));
	http->pause_s = http->pause_s * 2 < RESTART_MAX_S ? http->pause_s * 2 : RESTART_MAX_S;
}

static void on_timer(struct timer *timer)
{
	struct http_child *http = CONTAINER_OF(timer, struct http_child, timer);

	if (http->pid == 0)
		start(http);
	else
		kill_for(http, "it has not asked anything for a minute, so it hangs");
}

/* Without them, the charts of the next process begin anew. */
static void make_charts(struct http_child *http)
{
	if (http->charts < 0)
		http->charts = chart_memory_make();
	http->setup.has_charts = http->charts >= 0;
}

static void start(struct http_child *http)
{
	make_charts(http);

	const struct http_start how = {
		.program = http->program,
		.listener = http->sockets[HTTP_PAGES].listen.fd,
		.agent = http->sockets[HTTP_AGENT].listen.fd,
		.charts = http->charts >= 0 ? http->charts : -1,
		.setup = &http->setup,
		.root = http->root,
	};
	char text[IP_TEXT_MAX], agent[IP_TEXT_MAX];
	struct http_ends ends;
	const char *step;
	pid_t pid = http_start(&how, &ends, &step);

	if (pid < 0) {
		log_event(LOG_LEVEL_ERROR, "http-not-started", LOG_TEXT("step", step),
			  LOG_TEXT("error", strerror(-pid)));
		restart_later(http);
		return;
	}
	http->pid = pid;
	http->ctl->http = (struct ucred){ .pid = pid, .uid = http->root ? http->setup.uid : geteuid() };
	http->orders = ends.orders;
	http->questions.fd = ends.questions;
	http->started_ms = http->counted_ms = http->loop->now_ms;
	http->may_ask = QUESTIONS_AT_ONCE;
	if (loop_watch(http->loop, &http->questions, EPOLLIN) < 0 ||
	    loop_timer(http->loop, &http->timer, HANG_MS) < 0)
		kill_for(http, strerror(ENOMEM));
	else
		log_event(LOG_LEVEL_INFO, "http-started",
			  LOG_TEXT(how.listener != -1 ? "address" : "",
				   http_listen_text(&http->sockets[HTTP_PAGES].listen, text)),
			  LOG_TEXT(how.agent != -1 ? "agent" : "",
				   http_listen_text(&http->sockets[HTTP_AGENT].listen, agent)),
			  LOG_NUMBER("pid", pid));
}

/* Returns false if it has to wait. */
static bool may_ask(struct http_child *http)
{
	uint64_t passed = (http->loop->now_ms - http->counted_ms) / PAUSE_MS;

	http->counted_ms += passed * PAUSE_MS;
	http->may_ask =
	    passed > QUESTIONS_AT_ONCE - http->may_ask ? QUESTIONS_AT_ONCE : http->may_ask + (uint32_t)passed;
	if (http->may_ask == 0)
		return false;
	http->may_ask--;
	return true;
}

/* Make the two ends of an answer: nothing goes from the second to the first. */
static int make_pair(int pair[static 2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == -1)
		return -errno;
	(void)shutdown(pair[0], SHUT_RD); /* cannot fail on a connected socket */
	/* if it fails, it sees no sender, and trusts the process that an answer names */
	(void)setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int));
	(void)setsockopt(pair[1], SOL_SOCKET, SO_PASSRIGHTS, &(int){ 0 }, sizeof(int)); /* older kernels */
	return 0;
}

static void answer(struct http_child *http, const struct ask *ask)
{
	const struct msg msg = { .type = MSG_NONE, .session = ask->session };
	int pair[2] = { -1, -1 };
	int r = make_pair(pair);

	if (r == 0)
		r = msg_send(http->orders, &msg, pair[1]);
	if (r == 0)
		ctl_server_answer(http->ctl, &pair[0], ASKER_HTTP, false, ask);
	fd_close(&pair[0]);	 /* without an answer, it asks again later */
	bounded_close(&pair[1]); /* a worker may have put descriptors into its queue */
}

static void on_questions(struct watch *watch, uint32_t ready)
{
	struct http_child *http = CONTAINER_OF(watch, struct http_child, questions);
	struct ask ask;
	ssize_t n;

	(void)ready;
	if (!may_ask(http)) {
		if (loop_watch(http->loop, watch, 0) < 0 ||
		    loop_timer(http->loop, &http->pause, PAUSE_MS) < 0)
			kill_for(http, strerror(ENOMEM));
		return;
	}
	n = read(watch->fd, &ask, sizeof(ask));
	if (n == (ssize_t)sizeof(ask)) {
		(void)loop_timer(http->loop, &http->timer, HANG_MS); /* it is armed: no memory is needed */
		answer(http, &ask);
	} else if (n == 0) {
		hang_up(http); /* it ends */
	} else if (n != -1) {
		kill_for(http, "it sent a piece of a question");
	}
}

static void on_pause(struct timer *timer)
{
	struct http_child *http = CONTAINER_OF(timer, struct http_child, pause);

	if (http->questions.fd != -1 && loop_watch(http->loop, &http->questions, EPOLLIN) < 0)
		kill_for(http, strerror(ENOMEM));
}

static void on_old_end(struct timer *timer)
{
	kill_process(CONTAINER_OF(timer, struct http_child, old_end)->old);
}

void http_child_init(struct http_child *http, struct loop *loop, struct ctl_server *ctl, bool root)
{
	*http = (struct http_child){
		.loop = loop,
		.ctl = ctl,
		.root = root,
		.program = http_start_program(),
		.charts = -1,
		.orders = -1,
		.pause_s = RESTART_S,
	};
	for (size_t i = 0; i < HTTP_SOCKETS; i++)
		http->sockets[i] =
		    (struct http_socket){ .listen = HTTP_LISTEN_NONE, .coming = HTTP_LISTEN_NONE };
	watch_init(&http->questions, on_questions);
	timer_init(&http->pause, on_pause);
	timer_init(&http->timer, on_timer);
	timer_init(&http->old_end, on_old_end);
}

int http_child_prepare(struct http_child *http, const struct policy *policy, const struct diags *source)
{
	const struct policy_daemon *daemon = &policy->daemon;
	const struct http_place places[HTTP_SOCKETS] = {
		[HTTP_PAGES] = { "http", daemon->http.path, &daemon->http.endpoint, daemon->http.mark },
		[HTTP_AGENT] = { "agent", NULL, &daemon->agent.endpoint, daemon->agent.mark },
	};
	bool any = false;

	for (size_t i = 0; i < HTTP_SOCKETS; i++) {
		struct http_socket *socket = &http->sockets[i];
		int r =
		    http_listen_open(&socket->coming, &socket->listen, http->activated, &places[i], source);

		socket->stays = r == 1;
		if (r < 0) {
			http_child_abandon(http);
			return r;
		}
		any = any || socket->stays || socket->coming.fd != -1;
	}
	if (any && http->program < 0) {
		log_event(LOG_LEVEL_ERROR, "http-not-started",
			  LOG_TEXT("step", "open the program attlsd-http"),
			  LOG_TEXT("error", strerror(-http->program)),
			  LOG_TEXT("fix", "install attlsd-http beside attlsd, and start attlsd again"));
		http_child_abandon(http);
		return http->program;
	}
	return 0;
}

static bool listens(const struct http_child *http)
{
	return http->sockets[HTTP_PAGES].listen.fd != -1 || http->sockets[HTTP_AGENT].listen.fd != -1;
}

static void copy(char *to, size_t size, const char *text)
{
	(void)snprintf(to, size, "%s", text != NULL ? text : "");
}

/* Returns where the text ends, its zero included; 0: it does not fit. */
static size_t put(char *to, size_t size, size_t at, const char *text)
{
	size_t len = strlen(text) + 1;

	if (at > size || len > size - at)
		return 0;
	memcpy(to + at, text, len);
	return at + len;
}

static void list_backends(char *to, size_t size, const struct policy *policy)
{
	size_t used = 0;

	for (size_t i = 0; i < policy->nbackends; i++) {
		const struct policy_backend *backend = &policy->backends[i];
		size_t at = put(to, size - 1, used, backend->name);

		for (size_t j = 0; j < backend->nservers && at > 0; j++) {
			const char *text = backend->servers[j].text;

			if (j > 0)
				at = put(to, size - 1, at - 1, ", "); /* in place of the zero */
			if (at > 0)
				at = put(to, size - 1, j > 0 ? at - 1 : at, text != NULL ? text : "original");
		}
		if (at == 0)
			break;
		used = at;
	}
	memset(to + used, 0, size - used);
}

static void make_setup(struct http_child *http, const struct policy *policy, const struct keeper_user *users)
{
	const struct policy_http *from = &policy->daemon.http;
	struct http_setup *setup = &http->setup;

	*setup = (struct http_setup){
		.version = CTL_VERSION,
		.uid = users->http_uid,
		.gid = users->http_gid,
		.log_level = (uint8_t)policy->daemon.log_level,
		.log_format = (uint8_t)policy->daemon.log_format,
		.is_unix = from->path != NULL,
		.has_listener = http->sockets[HTTP_PAGES].listen.fd != -1,
		.has_agent = http->sockets[HTTP_AGENT].listen.fd != -1,
		.has_root = http->root,
	};
	copy(setup->node, sizeof(setup->node), policy->daemon.node);
	copy(setup->token_file, sizeof(setup->token_file), from->token_file);
	if (from->keyring != NULL && from->path == NULL) {
		copy(setup->chain, sizeof(setup->chain), from->keyring->certificates[0].chain);
		copy(setup->key, sizeof(setup->key), from->keyring->certificates[0].key);
	}
	for (size_t i = 0; i < from->nhosts && i < HTTP_HOSTS_MAX; i++)
		copy(setup->hosts[setup->nhosts++], HTTP_HOST_MAX, from->hosts[i].name);
	list_backends(setup->backends, sizeof(setup->backends), policy);
}

/* It gets the end of its channel, and finishes its answers. */
static void retire(struct http_child *http)
{
	loop_timer_stop(http->loop, &http->timer);
	hang_up(http);
	kill_process(http->old);
	http->old = http->pid;
	http->pid = 0;
	/* without memory for the timer, it ends all the same, unless it hangs */
	if (http->old != 0)
		(void)loop_timer(http->loop, &http->old_end, OLD_END_MS);
}

void http_child_promote(struct http_child *http, const struct policy *policy, const struct keeper_user *users)
{
	retire(http);
	for (size_t i = 0; i < HTTP_SOCKETS; i++) {
		struct http_socket *socket = &http->sockets[i];

		if (socket->stays)
			continue;
		http_listen_close(&socket->listen);
		socket->listen = socket->coming;
		socket->coming = HTTP_LISTEN_NONE;
	}
	if (!listens(http))
		return;
	make_setup(http, policy, users);
	http->pause_s = RESTART_S;
	start(http);
}

void http_child_abandon(struct http_child *http)
{
	for (size_t i = 0; i < HTTP_SOCKETS; i++)
		http_listen_close(&http->sockets[i].coming);
}

void http_child_yield(struct http_child *http)
{
	retire(http);
}

void http_child_leave(struct http_child *http)
{
	for (size_t i = 0; i < HTTP_SOCKETS; i++)
		http_listen_leave(&http->sockets[i].listen);
}

void http_child_go_on(struct http_child *http)
{
	http->pause_s = RESTART_S;
	if (listens(http))
		start(http);
}

void http_child_ended(struct http_child *http, pid_t pid, int status)
{
	if (pid == http->old) {
		http->old = 0;
		loop_timer_stop(http->loop, &http->old_end);
	}
	if (pid != http->pid)
		return;
	log_event(LOG_LEVEL_ERROR, "http-died", LOG_NUMBER("pid", http->pid),
		  LOG_TEXT(WIFSIGNALED(status) ? "signal" : "exit",
			   WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "unexpected"));
	hang_up(http);
	http->pid = 0;
	if (http->loop->now_ms - http->started_ms >= HEALTHY_MS)
		http->pause_s = RESTART_S;
	restart_later(http);
}

static void end_process(pid_t *pid)
{
	kill_process(*pid);
	while (*pid != 0 && waitpid(*pid, NULL, 0) == -1 && errno == EINTR)
		;
	*pid = 0;
}

void http_child_end(struct http_child *http)
{
	if (http->loop == NULL)
		return; /* attlsd did not come so far */
	loop_timer_stop(http->loop, &http->timer);
	loop_timer_stop(http->loop, &http->old_end);
	hang_up(http);
	end_process(&http->pid);
	end_process(&http->old);
	http_child_abandon(http);
	for (size_t i = 0; i < HTTP_SOCKETS; i++)
		http_listen_close(&http->sockets[i].listen);
	if (http->program >= 0)
		fd_close(&http->program);
	if (http->charts >= 0)
		fd_close(&http->charts);
}

bool http_child_adopt_charts(struct http_child *http, int fd)
{
	if (http->charts >= 0 || !chart_memory_is(fd))
		return false;
	http->charts = fd;
	return true;
}
