/*
 * Asks the sockets of `login_check`. Questions wait in the order in which they come while as many
 * connections are open as may be, or while the queue of a socket is full; each socket has a queue of
 * its own, so that a slow one does not delay the others. The time for an answer begins with the
 * question, not with its turn.
 */
#include "gateway/monitor/login-check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uthash.h>
#include <utlist.h>

#include "gateway/base/util.h"
#include "gateway/host/bounded-close.h"
#include "gateway/host/login-socket.h"

/* Until a socket is tried again whose queue was full: no event tells when there is room. */
#define FULL_MS 20

struct login_case {
	uint64_t session; /* key */
	void *owner;
	struct login_checks *checks;
	struct login_service *service; /* while it waits or is asked */
	struct login_joined *joined;   /* parts of a question that is not whole; NULL: none */
	char *json;		       /* NULL: no question is open */
	size_t json_len;
	uint32_t asked; /* questions of this session */
	struct watch watch;
	struct timer limit;
	struct login_case *next, *prev; /* in the queue of the service */
	UT_hash_handle hh;
};

struct login_service {
	char *path; /* key */
	struct login_checks *checks;
	struct login_case *waiting; /* the first to come is the first to go */
	size_t nopen;
	struct timer full;
	UT_hash_handle hh;
};

static void let_go(struct login_service *service);

static void let_all_go(struct login_checks *checks)
{
	struct login_service *service, *next;

	HASH_ITER (hh, checks->services, service, next)
		let_go(service);
}

/* A question is over, with its connection. Its service may be gone afterwards. */
static void close_question(struct login_case *one)
{
	struct login_checks *checks = one->checks;
	struct login_service *service = one->service;

	loop_timer_stop(checks->loop, &one->limit);
	free(one->json);
	one->json = NULL;
	one->service = NULL;
	if (one->watch.fd != -1) {
		loop_unwatch(checks->loop, &one->watch);
		bounded_close(&one->watch.fd); /* it may hold descriptors that were passed to it */
		service->nopen--;
		checks->nopen--;
	} else {
		DL_DELETE(service->waiting, one);
	}
	if (service->nopen > 0 || service->waiting != NULL)
		return;
	loop_timer_stop(checks->loop, &service->full);
	HASH_DEL(checks->services, service);
	free(service->path);
	free(service);
}

static void settle(struct login_case *one, enum login_verdict verdict, const char *why,
		   const struct login_answer *answer)
{
	struct login_checks *checks = one->checks;

	close_question(one);
	checks->checked(one->owner, one->session, verdict, why, answer);
}

static void on_limit(struct timer *timer)
{
	struct login_case *one = CONTAINER_OF(timer, struct login_case, limit);
	struct login_checks *checks = one->checks;

	settle(one, LOGIN_NO_ANSWER, one->watch.fd == -1 ? "socket-busy" : "time-out", NULL);
	let_all_go(checks);
}

static void on_answer(struct watch *watch, uint32_t ready)
{
	struct login_case *one = CONTAINER_OF(watch, struct login_case, watch);
	struct login_checks *checks = one->checks;
	char bytes[LOGIN_ANSWER_BYTES];
	struct login_answer answer = { .text = "" };
	enum login_verdict verdict = LOGIN_NO_ANSWER;
	ssize_t n = bounded_receive(watch->fd, bytes, sizeof(bytes));

	(void)ready;
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n > 0 && (size_t)n <= sizeof(bytes))
		verdict = login_answer_parse(bytes, (size_t)n, &answer);
	settle(one, verdict, n > 0 ? "no-such-answer" : "closed", &answer);
	let_all_go(checks);
}

/* Returns 0; -EAGAIN: later; or another negative errno, and why. */
static int ask(struct login_case *one, const char **ret_why)
{
	struct login_service *service = one->service;
	int fd = login_socket_connect(service->path, ret_why);
	int r;

	if (fd < 0)
		return fd;
	*ret_why = "closed";
	if (send(fd, one->json, one->json_len, MSG_NOSIGNAL | MSG_DONTWAIT) == -1) {
		r = errno == EAGAIN ? -EPIPE : -errno; /* it has taken no byte yet, so there is room */
		bounded_close(&fd);
		return r;
	}
	one->watch.fd = fd;
	r = loop_watch(one->checks->loop, &one->watch, EPOLLIN);
	if (r < 0) {
		*ret_why = "no-memory";
		one->watch.fd = -1;
		bounded_close(&fd);
		return r == -EAGAIN ? -ENOMEM : r;
	}
	DL_DELETE(service->waiting, one);
	service->nopen++;
	one->checks->nopen++;
	return 0;
}

static bool has_room(const struct login_service *service)
{
	const struct login_checks *checks = service->checks;
	size_t share = LOGIN_CHECKS_OPEN_MAX / HASH_COUNT(checks->services);

	return checks->nopen < LOGIN_CHECKS_OPEN_MAX && (service->nopen < share || service->nopen == 0);
}

/* Ask for those that wait. The service may be gone afterwards. */
static void let_go(struct login_service *service)
{
	struct login_case *first;

	loop_timer_stop(service->checks->loop, &service->full);
	while ((first = service->waiting) != NULL && has_room(service)) {
		/* the last one that settles takes the service along */
		bool last = first->next == NULL && service->nopen == 0;
		const char *why = NULL;
		int r = ask(first, &why);

		if (r == -EAGAIN && loop_timer(service->checks->loop, &service->full, FULL_MS) == 0)
			return;
		if (r < 0)
			settle(first, LOGIN_NO_ANSWER, r == -EAGAIN ? "no-memory" : why, NULL);
		if (r < 0 && last)
			return;
	}
}

static void on_full(struct timer *timer)
{
	let_go(CONTAINER_OF(timer, struct login_service, full));
}

static struct login_service *service_of(struct login_checks *checks, const char *path)
{
	struct login_service *service;

	HASH_FIND_STR(checks->services, path, service);
	if (service != NULL)
		return service;
	service = calloc(1, sizeof(*service));
	if (service == NULL)
		return NULL;
	service->path = strdup(path);
	if (service->path == NULL) {
		free(service);
		return NULL;
	}
	service->checks = checks;
	timer_init(&service->full, on_full);
	HASH_ADD_KEYPTR(hh, checks->services, service->path, strlen(service->path), service);
	return service;
}

/* Put a whole question into the queue. */
static void queue_up(struct login_case *one, const struct login_question *question,
		     const struct login_facts *facts, const char *path)
{
	struct login_checks *checks = one->checks;
	char json[LOGIN_JSON_MAX];
	const char *why = NULL;

	if (++one->asked > LOGIN_CHECKS_PER_SESSION) {
		one->asked = LOGIN_CHECKS_PER_SESSION;
		checks->checked(one->owner, one->session, LOGIN_NO_ANSWER, "too-many-logins", NULL);
		return;
	}
	one->json_len = login_question_json(question, facts, json);
	one->json = malloc(one->json_len);
	if (one->json == NULL || loop_timer(checks->loop, &one->limit, LOGIN_CHECK_MS) < 0 ||
	    (one->service = service_of(checks, path)) == NULL)
		why = "no-memory";
	if (why != NULL) {
		loop_timer_stop(checks->loop, &one->limit);
		free(one->json);
		one->json = NULL;
		checks->checked(one->owner, one->session, LOGIN_NO_ANSWER, why, NULL);
		return;
	}
	memcpy(one->json, json, one->json_len);
	DL_APPEND(one->service->waiting, one);
	let_go(one->service);
}

static struct login_case *case_of(struct login_checks *checks, void *owner, uint64_t session)
{
	struct login_case *one;

	HASH_FIND(hh, checks->cases, &session, sizeof(session), one);
	if (one != NULL)
		return one;
	one = calloc(1, sizeof(*one));
	if (one == NULL)
		return NULL;
	one->session = session;
	one->owner = owner;
	one->checks = checks;
	watch_init(&one->watch, on_answer);
	timer_init(&one->limit, on_limit);
	HASH_ADD(hh, checks->cases, session, sizeof(one->session), one);
	return one;
}

void login_checks_init(struct login_checks *checks, struct loop *loop, login_checked_fn *checked)
{
	*checks = (struct login_checks){ .loop = loop, .checked = checked };
}

const char *login_checks_take(struct login_checks *checks, void *owner, const struct login_facts *facts,
			      const char *path, const struct login_part *part)
{
	struct login_case *one = case_of(checks, owner, facts->session);
	struct login_question question;
	int r;

	if (one != NULL && one->json != NULL)
		return "asked-twice";
	if (one != NULL && one->joined == NULL)
		one->joined = calloc(1, sizeof(*one->joined));
	if (one == NULL || one->joined == NULL) {
		if (part->last)
			checks->checked(owner, facts->session, LOGIN_NO_ANSWER, "no-memory", NULL);
		return NULL;
	}
	r = login_question_join(one->joined, part, &question);
	if (r == 0)
		return NULL;
	free(one->joined);
	one->joined = NULL;
	if (r < 0)
		return "malformed-question";
	queue_up(one, &question, facts, path);
	return NULL;
}

static void forget(struct login_case *one)
{
	if (one->json != NULL)
		close_question(one);
	free(one->joined);
	HASH_DEL(one->checks->cases, one);
	free(one);
}

void login_checks_forget(struct login_checks *checks, uint64_t session)
{
	struct login_case *one;

	HASH_FIND(hh, checks->cases, &session, sizeof(session), one);
	if (one == NULL)
		return;
	forget(one);
	let_all_go(checks);
}

void login_checks_done(struct login_checks *checks)
{
	struct login_case *one, *next;

	HASH_ITER (hh, checks->cases, one, next)
		forget(one);
}
