/*
 * FTCHKPWD: asks a local socket whether a user may log in, for the workers, which can open
 * nothing. Each question has a connection of its own, so that no answer can be taken for that to
 * another one. Nothing here waits: a socket that is missing, full, slow or wrong costs only the
 * logins that need it.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_LOGIN_CHECK_H
#define ATTLSD_GATEWAY_MONITOR_LOGIN_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/login-question.h"
#include "gateway/base/loop.h"

struct login_case;
struct login_service;

/* The answer for a session of `owner`. why: with LOGIN_NO_ANSWER, one word for the log. */
typedef void login_checked_fn(void *owner, uint64_t session, enum login_verdict verdict, const char *why,
			      const struct login_answer *answer);

struct login_checks {
	struct loop *loop;
	login_checked_fn *checked;
	struct login_case *cases;	/* by session */
	struct login_service *services; /* by path, only those with questions */
	size_t nopen;			/* connections to all of them */
};

/* checked is also called from inside the other functions. */
void login_checks_init(struct login_checks *checks, struct loop *loop, login_checked_fn *checked);
void login_checks_done(struct login_checks *checks);

/*
 * A worker sends a part of its question about a session. With the last part, the socket at `path` is
 * asked. Returns NULL, or a reason to kill the worker.
 */
const char *login_checks_take(struct login_checks *checks, void *owner, const struct login_facts *facts,
			      const char *path, const struct login_part *part);

/* The session is over: nobody waits for its answer. */
void login_checks_forget(struct login_checks *checks, uint64_t session);

/* The longest wait for an answer. */
#define LOGIN_CHECK_MS 10000
/* Questions of one session that go to the socket; the others get no answer. */
#define LOGIN_CHECKS_PER_SESSION 100
/* Connections at a time, shared by the sockets of a policy. */
#define LOGIN_CHECKS_OPEN_MAX 512

#endif
