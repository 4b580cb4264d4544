/*
 * Who may come in: the sessions that exist, by source and in all, exactly
 * counted in one place (the monitor).
 */
#ifndef ATTLSD_GATEWAY_MONITOR_ADMISSION_H
#define ATTLSD_GATEWAY_MONITOR_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct admission_failures;
struct admission_source;
struct admission_session;

struct admission {
	struct admission_source *sources;    /* by address */
	struct admission_session *sessions;  /* by number */
	struct admission_failures *failures; /* by address, oldest first */
	size_t nsessions;
	uint64_t last; /* number of the last session */
};

/*
 * Admit a connection from `source`, to be served by `owner` (any pointer that
 * names a worker). source NULL: it comes through a trusted proxy, and whose it is
 * admission_source() will say; till then only the limit of all sessions holds.
 * Returns 0 and its number; -EUSERS when a limit stands
 * against it, *ret_limit says which; -ENOMEM.
 */
int admission_enter(struct admission *admission, const struct policy_daemon *limits,
		    const struct ip_addr *source, const void *owner, uint64_t *ret_session,
		    const char **ret_limit);

/*
 * Count a session that was admitted without a source for its source, once.
 * Returns 0; -EUSERS and -ENOMEM as above, the session then still has none;
 * -ENOENT: there is no such session of this owner, or it has a source.
 */
int admission_source(struct admission *admission, const struct policy_daemon *limits, uint64_t session,
		     const void *owner, const struct ip_addr *source, const char **ret_limit);

/* What the monitor knows of a session: by this its requests are judged. */
struct admission_facts {
	struct ip_endpoint remote;
	struct ip_endpoint local;
	uint32_t listener;
	bool logged_in;
};

/* Note where the session is from and to, once it is admitted. */
void admission_note(struct admission *admission, uint64_t session, const struct ip_endpoint *remote,
		    const struct ip_endpoint *local, uint32_t listener);

/* False: there is no such session of this owner. */
bool admission_facts(const struct admission *admission, uint64_t session, const void *owner,
		     struct admission_facts *ret);

/* Whose session it is, or NULL: there is no such session. */
const void *admission_owner(const struct admission *admission, uint64_t session);

/* Its user has logged in. False: there is no such session of this owner. */
bool admission_login(struct admission *admission, uint64_t session, const void *owner);

/* A login of it has failed at this time (monotonic). False: there is no such session of this owner. */
bool admission_login_failed(struct admission *admission, uint64_t session, const void *owner,
			    uint64_t now_ms);

/* How many logins from a source have failed lately. Forgotten ten minutes after the last. */
uint32_t admission_failures(struct admission *admission, const struct ip_addr *source, uint64_t now_ms);

/* It is over. False: there is no such session of this owner. */
bool admission_leave(struct admission *admission, uint64_t session, const void *owner);

/* The owner has died with all its sessions; returns how many. each (may be NULL) is told their numbers. */
size_t admission_leave_all(struct admission *admission, const void *owner,
			   void (*each)(void *context, uint64_t session), void *context);

void admission_done(struct admission *admission);

#endif
