/*
 * Counts sessions in total and by source. The monitor asks here before it hands a connection to a worker. A
 * worker can change only its own sessions, so each call about a session names its owner.
 */
#include "gateway/monitor/admission.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

struct admission_source {
	struct ip_addr addr; /* key */
	uint32_t sessions;
	uint32_t unauthenticated;
	UT_hash_handle hh;
};

struct admission_session {
	uint64_t number; /* key */
	const void *owner;
	struct admission_source *source;
	bool probe;
	struct admission_facts facts;
	UT_hash_handle hh;
};

void admission_init(struct admission *admission)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail: the clock exists */
	*admission =
	    (struct admission){ .last = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 };
}

struct ip_addr admission_key(const struct ip_addr *addr)
{
	struct ip_addr key;

	memset(&key, 0, sizeof(key)); /* a hash key must not hold chance padding */
	key.family = addr->family;
	/* a host with one IPv6 address has a whole /64 of them (RFC 6177) */
	memcpy(key.bytes, addr->bytes, addr->family == IP_V6 ? 8 : sizeof(key.bytes));
	return key;
}

static const char *limit_reached(const struct policy_daemon *limits, const struct admission_source *source)
{
	if (source == NULL)
		return NULL;
	if (source->sessions >= limits->limit_sessions_per_source)
		return "sessions_per_source";
	if (source->unauthenticated >= limits->limit_unauthenticated_per_source)
		return "unauthenticated_per_source";
	return NULL;
}

static const char all_sessions[] = "sessions";

/* Count a session against its source's limits. */
static int join_source(struct admission *admission, const struct policy_daemon *limits,
		       struct admission_session *session, const struct ip_addr *source,
		       const char **ret_limit)
{
	struct ip_addr key = admission_key(source);
	struct admission_source *from;
	const char *limit;

	HASH_FIND(hh, admission->sources, &key, sizeof(key), from);
	limit = limit_reached(limits, from);
	if (limit != NULL) {
		*ret_limit = limit;
		return -EUSERS;
	}
	if (from == NULL) {
		from = calloc(1, sizeof(*from));
		if (from == NULL)
			return -ENOMEM;
		from->addr = key;
		HASH_ADD(hh, admission->sources, addr, sizeof(from->addr), from);
	}
	from->sessions++;
	from->unauthenticated++;
	session->source = from;
	session->facts.client = *source;
	return 0;
}

int admission_enter(struct admission *admission, const struct policy_daemon *limits,
		    const struct ip_addr *source, const void *owner, uint64_t *ret_session,
		    const char **ret_limit)
{
	struct admission_session *session;
	size_t room = source == NULL ? ADMISSION_PROBES_MAX : 0;
	int r = 0;

	if (admission->nsessions + admission->nolder >= limits->limit_sessions + room) {
		*ret_limit = all_sessions;
		return -EUSERS;
	}
	session = calloc(1, sizeof(*session));
	if (session == NULL)
		return -ENOMEM;
	if (source != NULL)
		r = join_source(admission, limits, session, source, ret_limit);
	if (r < 0) {
		free(session);
		return r;
	}
	admission->nsessions++;
	session->number = ++admission->last;
	session->owner = owner;
	HASH_ADD(hh, admission->sessions, number, sizeof(session->number), session);
	*ret_session = session->number;
	return 0;
}

static struct admission_session *find(const struct admission *admission, uint64_t number, const void *owner)
{
	struct admission_session *session;

	HASH_FIND(hh, admission->sessions, &number, sizeof(number), session);
	return session != NULL && session->owner == owner ? session : NULL;
}

int admission_source(struct admission *admission, const struct policy_daemon *limits, uint64_t number,
		     const void *owner, const struct ip_addr *source, const char **ret_limit)
{
	struct admission_session *session = find(admission, number, owner);
	int r;

	if (session == NULL || session->source != NULL)
		return -ENOENT;
	if (admission->nsessions + admission->nolder + session->probe > limits->limit_sessions) {
		*ret_limit = all_sessions;
		return -EUSERS;
	}
	r = join_source(admission, limits, session, source, ret_limit);
	if (r == 0 && session->probe) {
		session->probe = false;
		admission->nprobes--;
		admission->nsessions++;
	}
	return r;
}

int admission_probe(struct admission *admission, uint64_t number, const void *owner, const char **ret_limit)
{
	struct admission_session *session = find(admission, number, owner);

	if (session == NULL || session->source != NULL || session->probe)
		return -ENOENT;
	if (admission->nprobes >= ADMISSION_PROBES_MAX) {
		*ret_limit = "probes";
		return -EUSERS;
	}
	session->probe = true;
	admission->nprobes++;
	admission->nsessions--;
	return 0;
}

void admission_note(struct admission *admission, uint64_t number, const struct ip_endpoint *remote,
		    const struct ip_endpoint *local, uint32_t listener, int64_t began_s)
{
	struct admission_session *session;

	HASH_FIND(hh, admission->sessions, &number, sizeof(number), session);
	if (session == NULL)
		return;
	session->facts.remote = *remote;
	session->facts.local = *local;
	session->facts.listener = listener;
	session->facts.began_s = began_s;
}

const void *admission_owner(const struct admission *admission, uint64_t number)
{
	struct admission_session *session;

	HASH_FIND(hh, admission->sessions, &number, sizeof(number), session);
	return session != NULL ? session->owner : NULL;
}

bool admission_facts(const struct admission *admission, uint64_t number, const void *owner,
		     struct admission_facts *ret)
{
	const struct admission_session *session = find(admission, number, owner);

	if (session == NULL)
		return false;
	*ret = session->facts;
	return true;
}

bool admission_login(struct admission *admission, uint64_t number, const void *owner)
{
	struct admission_session *session = find(admission, number, owner);

	if (session == NULL || session->source == NULL || session->facts.logged_in)
		return false;
	session->facts.logged_in = true;
	session->source->unauthenticated--;
	return true;
}

const struct ip_addr *admission_session_key(const struct admission *admission, uint64_t number,
					    const void *owner)
{
	const struct admission_session *session = find(admission, number, owner);

	return session != NULL && session->source != NULL ? &session->source->addr : NULL;
}

static void leave(struct admission *admission, struct admission_session *session)
{
	struct admission_source *source = session->source;

	if (source != NULL && !session->facts.logged_in)
		source->unauthenticated--;
	if (source != NULL && --source->sessions == 0) {
		HASH_DEL(admission->sources, source);
		free(source);
	}
	if (session->probe)
		admission->nprobes--;
	else
		admission->nsessions--;
	HASH_DEL(admission->sessions, session);
	free(session);
}

bool admission_leave(struct admission *admission, uint64_t number, const void *owner)
{
	struct admission_session *session = find(admission, number, owner);

	if (session == NULL)
		return false;
	leave(admission, session);
	return true;
}

size_t admission_leave_all(struct admission *admission, const void *owner,
			   void (*each)(void *context, uint64_t session), void *context)
{
	struct admission_session *session, *next;
	size_t n = 0;

	HASH_ITER (hh, admission->sessions, session, next) {
		if (session->owner != owner)
			continue;
		if (each != NULL)
			each(context, session->number);
		leave(admission, session);
		n++;
	}
	return n;
}

void admission_done(struct admission *admission)
{
	struct admission_session *session, *next;

	HASH_ITER (hh, admission->sessions, session, next)
		leave(admission, session);
}
