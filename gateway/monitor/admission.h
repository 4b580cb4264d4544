/*
 * Which connections are admitted. The monitor counts all sessions, in total and by
 * source, so the counts are exact.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_ADMISSION_H
#define ATTLSD_GATEWAY_MONITOR_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct admission_source;
struct admission_session;

struct admission {
	struct admission_source *sources;   /* by address */
	struct admission_session *sessions; /* by number */
	size_t nsessions;		    /* without probes */
	size_t nprobes;
	size_t nolder; /* sessions of attlsds that this one has replaced; they count in the limit of all */
	uint64_t last; /* number of the last session */
};

/*
 * Numbers of sessions start after the microseconds since 1970 at this moment. No two
 * sessions get the same number, even after a restart, because no attlsd begins a million
 * sessions a second.
 */
void admission_init(struct admission *admission);

/*
 * Health checks of all load balancers at once. They count in no other limit: a gateway
 * that is full must not look broken.
 */
#define ADMISSION_PROBES_MAX 32

/*
 * Admit a connection from `source`, to be served by `owner` (any pointer that
 * identifies a worker). source NULL: it comes through a trusted proxy; until
 * admission_source() names the client, only the limit of all sessions applies, with
 * room for probes above it.
 * Returns 0 and the session's number; -EUSERS if a limit is reached, and *ret_limit
 * names it; or -ENOMEM.
 */
int admission_enter(struct admission *admission, const struct policy_daemon *limits,
		    const struct ip_addr *source, const void *owner, uint64_t *ret_session,
		    const char **ret_limit);

/*
 * Set the source of a session that was admitted without one; it may be a probe, which
 * is an ordinary session from now on. Returns 0; -EUSERS or
 * -ENOMEM as above, and the session still has no source; or -ENOENT: this owner has
 * no such session, or the session has a source already.
 */
int admission_source(struct admission *admission, const struct policy_daemon *limits, uint64_t session,
		     const void *owner, const struct ip_addr *source, const char **ret_limit);

/*
 * A session that was admitted without a source is a load balancer's own: a probe.
 * Returns 0; -EUSERS as above; or -ENOENT: this owner has no such session, or the
 * session has a source, or is a probe already.
 */
int admission_probe(struct admission *admission, uint64_t session, const void *owner, const char **ret_limit);

/* What the monitor knows about a session. It judges the session's requests by this. */
struct admission_facts {
	struct ip_endpoint remote; /* the other end of the connection: the client, or a load balancer */
	struct ip_endpoint local;
	struct ip_addr client; /* IP_NONE: not known yet */
	uint32_t listener;
	int64_t began_s; /* seconds since 1970 */
	bool logged_in;
};

/* Note the addresses, the listener and the beginning of an admitted session. */
void admission_note(struct admission *admission, uint64_t session, const struct ip_endpoint *remote,
		    const struct ip_endpoint *local, uint32_t listener, int64_t began_s);

/* False: this owner has no such session. */
bool admission_facts(const struct admission *admission, uint64_t session, const void *owner,
		     struct admission_facts *ret);

/* Returns the owner of a session, or NULL if there is no such session. */
const void *admission_owner(const struct admission *admission, uint64_t session);

/* The session's user has logged in. False: this owner has no such session. */
bool admission_login(struct admission *admission, uint64_t session, const void *owner);

/*
 * Whom an address stands for: a host with one IPv6 address has a whole /64 of them. The
 * result has no padding that differs, so it may be a hash key.
 */
struct ip_addr admission_key(const struct ip_addr *addr);

/* The key of a session's source. NULL: this owner has no such session, or its source is not known yet. */
const struct ip_addr *admission_session_key(const struct admission *admission, uint64_t session,
					    const void *owner);

/* The session is over. False: this owner has no such session. */
bool admission_leave(struct admission *admission, uint64_t session, const void *owner);

/*
 * The owner has died with all its sessions. Calls each() (may be NULL) with the
 * number of each one, and returns how many there were.
 */
size_t admission_leave_all(struct admission *admission, const void *owner,
			   void (*each)(void *context, uint64_t session), void *context);

void admission_done(struct admission *admission);

#endif
