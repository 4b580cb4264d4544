/*
 * The HTTP process: reads its files while it still may, gives up all rights, and serves.
 * When the monitor hangs up, it answers what it has been asked, and ends.
 */
#include "gateway/http/http.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/host/bounded-close.h"
#include "gateway/host/http-calls.h"
#include "gateway/http/agent.h"
#include "gateway/http/asker.h"
#include "gateway/http/history.h"
#include "gateway/http/server.h"

/* A chain of certificates, or a key. */
#define FILE_MAX (256 * 1024)
/* Of all memory: answers, and what they are made from. */
#define MEMORY_MAX (512 * 1024 * 1024)
/* For answers under way at the end. */
#define END_MS	    5000
#define END_LOOK_MS 50

struct http {
	struct loop loop;
	struct asker asker;
	struct server server;
	struct agent agent;
	struct access access;
	struct history history;
	struct timer end; /* looks whether all connections are closed */
	uint64_t ends_ms; /* by then at the latest; 0: not yet */
};

static int fail(const char *step, const char *path, const char *error)
{
	log_event(LOG_LEVEL_ERROR, "http-failed", LOG_TEXT("step", step),
		  LOG_TEXT(path != NULL ? "file" : "", path), LOG_TEXT("error", error));
	return EXIT_FAILURE;
}

/* The whole file, with a NUL. NULL: errno says why not. */
static char *read_file(const char *path)
{
	char *text = calloc(1, FILE_MAX + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;
	size_t len = 0;

	while (text != NULL && fd != -1 && len < FILE_MAX && (n = read(fd, text + len, FILE_MAX - len)) > 0)
		len += (size_t)n;
	fd_close(&fd);
	if (n == 0)
		return text;
	if (n > 0)
		errno = EFBIG;
	free(text);
	return NULL;
}

static void wipe(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, FILE_MAX);
	free(*text);
	*text = NULL;
}

static int start_server(struct http *http, const struct http_setup *setup)
{
	char *chain = NULL, *key = NULL;
	int status = EXIT_SUCCESS;

	if (setup->chain[0] != '\0') {
		chain = read_file(setup->chain);
		if (chain == NULL)
			status = fail("read the certificate", setup->chain, strerror(errno));
		key = status == EXIT_SUCCESS ? read_file(setup->key) : NULL;
		if (status == EXIT_SUCCESS && key == NULL)
			status = fail("read the private key", setup->key, strerror(errno));
	}
	if (status == EXIT_SUCCESS && setup->has_listener &&
	    server_start(&http->server, HTTP_LISTENER_FD, &(struct server_files){ chain, key }) < 0)
		status = EXIT_FAILURE;
	wipe(&chain);
	wipe(&key);
	return status;
}

static void on_end_look(struct timer *timer)
{
	struct http *http = CONTAINER_OF(timer, struct http, end);

	if ((http->agent.nlinks == 0 && server_connections(&http->server) == 0) ||
	    http->loop.now_ms >= http->ends_ms || loop_timer(&http->loop, &http->end, END_LOOK_MS) < 0)
		loop_stop(&http->loop);
}

static void on_hung_up(struct asker *asker)
{
	struct http *http = CONTAINER_OF(asker, struct http, asker);

	http->ends_ms = http->loop.now_ms + END_MS;
	history_stop(&http->history);
	server_quiesce(&http->server);
	agent_quiesce(&http->agent);
	/* nobody waits in the queues for a process that ends */
	if (http->access.setup->has_listener)
		(void)close(HTTP_LISTENER_FD);
	if (http->access.setup->has_agent)
		(void)close(HTTP_AGENT_FD);
	on_end_look(&http->end);
}

/* Nothing that a request needs may grow beyond this, whatever it is. */
static void limit_memory(void)
{
#if !defined(__SANITIZE_ADDRESS__)
	const struct rlimit limit = { MEMORY_MAX, MEMORY_MAX };

	(void)setrlimit(RLIMIT_AS, &limit); /* it has limits of its own, too */
#endif
}

/* Charts of its own last as long as this process. */
static int resume_history(struct history *history, bool has_charts)
{
	static struct chart_memory own;
	struct chart_memory *charts = has_charts ? chart_memory_map(HTTP_CHARTS_FD) : &own;

	if (charts == NULL)
		return fail("map the charts", NULL, strerror(errno));
	if (has_charts)
		(void)close(HTTP_CHARTS_FD);
	history_resume(history, charts, (uint64_t)time(NULL));
	return EXIT_SUCCESS;
}

static int confine(const struct http_setup *setup)
{
	int root = setup->has_root ? HTTP_ROOT_FD : -1;
	const char *what = "";
	int r;

	limit_memory();
	tzset(); /* the library writes dates, and looks for the time zone */
	r = http_calls_sandbox(root, setup->uid, setup->gid, &what);
	return r < 0 ? fail(what, NULL, strerror(-r)) : EXIT_SUCCESS;
}

int http_run(const struct http_setup *setup)
{
	static struct http http; /* too large for the stack */
	char why[HTTP_TOKEN_WHY_MAX];
	int status;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)bounded_close_init(); /* cannot fail with these arguments */
	http.access.setup = setup;
	if (setup->token_file[0] != '\0' && http_token_read(setup->token_file, http.access.token, why) < 0)
		return fail("read the token", setup->token_file, why);
	if (loop_init(&http.loop) < 0 ||
	    asker_init(&http.asker, &http.loop, HTTP_ORDERS_FD, HTTP_QUESTIONS_FD, on_hung_up) < 0)
		return fail("watch for events", NULL, strerror(errno));
	http.server.loop = &http.loop;
	http.server.asker = &http.asker;
	http.server.access = &http.access;
	http.server.history = &http.history;
	timer_init(&http.end, on_end_look);
	http.agent.listener.fd = -1;
	status = start_server(&http, setup);
	if (status == EXIT_SUCCESS && setup->has_agent &&
	    agent_start(&http.agent, &http.loop, &http.asker, HTTP_AGENT_FD) < 0)
		status = fail("watch for events", NULL, strerror(ENOMEM));
	if (status == EXIT_SUCCESS)
		status = resume_history(&http.history, setup->has_charts);
	if (status == EXIT_SUCCESS)
		status = confine(setup);
	if (status == EXIT_SUCCESS && history_start(&http.history, &http.loop, &http.asker) < 0)
		status = fail("watch for events", NULL, strerror(ENOMEM));
	http.history.backends.addresses = setup->backends;
	if (status == EXIT_SUCCESS && loop_run(&http.loop) < 0)
		status = fail("wait for events", NULL, "epoll failed");
	return status; /* the process ends, and its memory with it */
}
