#include "gateway/admission.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
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
	bool logged_in;
	UT_hash_handle hh;
};

static const char *limit_reached(const struct admission *admission, const struct policy_daemon *limits,
				 const struct admission_source *source)
{
	if (admission->nsessions >= limits->limit_sessions)
		return "sessions";
	if (source == NULL)
		return NULL;
	if (source->sessions >= limits->limit_sessions_per_source)
		return "sessions_per_source";
	if (source->unauthenticated >= limits->limit_unauthenticated_per_source)
		return "unauthenticated_per_source";
	return NULL;
}

int admission_enter(struct admission *admission, const struct policy_daemon *limits,
		    const struct ip_addr *source, const void *owner, uint64_t *ret_session,
		    const char **ret_limit)
{
	struct admission_source *from;
	struct admission_session *session;
	struct ip_addr key;

	memset(&key, 0, sizeof(key)); /* a hash key must not hold chance padding */
	key.family = source->family;
	memcpy(key.bytes, source->bytes, sizeof(key.bytes));
	HASH_FIND(hh, admission->sources, &key, sizeof(key), from);
	*ret_limit = limit_reached(admission, limits, from);
	if (*ret_limit != NULL)
		return -EUSERS;
	session = calloc(1, sizeof(*session));
	if (session == NULL)
		return -ENOMEM;
	if (from == NULL) {
		from = calloc(1, sizeof(*from));
		if (from == NULL) {
			free(session);
			return -ENOMEM;
		}
		from->addr = key;
		HASH_ADD(hh, admission->sources, addr, sizeof(from->addr), from);
	}
	from->sessions++;
	from->unauthenticated++;
	admission->nsessions++;
	session->number = ++admission->last;
	session->owner = owner;
	session->source = from;
	HASH_ADD(hh, admission->sessions, number, sizeof(session->number), session);
	*ret_session = session->number;
	return 0;
}

static struct admission_session *find(struct admission *admission, uint64_t number, const void *owner)
{
	struct admission_session *session;

	HASH_FIND(hh, admission->sessions, &number, sizeof(number), session);
	return session != NULL && session->owner == owner ? session : NULL;
}

bool admission_login(struct admission *admission, uint64_t number, const void *owner)
{
	struct admission_session *session = find(admission, number, owner);

	if (session == NULL || session->logged_in)
		return false;
	session->logged_in = true;
	session->source->unauthenticated--;
	return true;
}

static void leave(struct admission *admission, struct admission_session *session)
{
	struct admission_source *source = session->source;

	if (!session->logged_in)
		source->unauthenticated--;
	if (--source->sessions == 0) {
		HASH_DEL(admission->sources, source);
		free(source);
	}
	HASH_DEL(admission->sessions, session);
	free(session);
	admission->nsessions--;
}

bool admission_leave(struct admission *admission, uint64_t number, const void *owner)
{
	struct admission_session *session = find(admission, number, owner);

	if (session == NULL)
		return false;
	leave(admission, session);
	return true;
}

size_t admission_leave_all(struct admission *admission, const void *owner)
{
	struct admission_session *session, *next;
	size_t n = 0;

	HASH_ITER (hh, admission->sessions, session, next) {
		if (session->owner != owner)
			continue;
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
