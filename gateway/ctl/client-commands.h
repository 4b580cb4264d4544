/*
 * attlsctl's commands for a running attlsd. Each returns the exit status, after
 * printing what went wrong to stderr.
 */
#ifndef ATTLSD_GATEWAY_CTL_CLIENT_COMMANDS_H
#define ATTLSD_GATEWAY_CTL_CLIENT_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"

struct session_filter; /* session-filter.h */
struct target;	       /* client-target.h */

int client_status(const struct target *target, bool json);
/*
 * filter: all zero for every session; with a number, all that is known of this one. watch_s: how often to
 * show them again, until a signal ends this process; 0: only once.
 */
int client_sessions(const struct target *target, const struct session_filter *filter, bool json,
		    unsigned watch_s);
/* The last warnings and errors of all processes. */
int client_events(const struct target *target, bool json);
/* Print what attlsd has counted, for Prometheus. */
int client_metrics(const struct target *target, bool openmetrics);
/* The servers of this backend, or of all (NULL). */
int client_backend_list(const struct target *target, const char *backend, bool json);

/* CTL_DISABLE or CTL_ENABLE, of one of them. */
int client_backend_order(const struct target *target, enum ctl_proto_what what, const char *backend,
			 const char *server);

int client_end(const struct target *target, uint64_t session);
/* Ends all sessions that match when their order arrives, each with an order of its own. */
int client_end_all(const struct target *target, const struct session_filter *filter);
/* Checks the file first that attlsd would read, and does not ask for a reload if it has faults. */
int client_reload(const struct target *target, bool no_upgrade);
/* Only a restart can replace that attlsd. */
#define EXIT_NOT_ASKED 3
int client_upgrade(const struct target *target);
/* Give any order if the right attlsd listens; the version is filled in. */
int client_give(const struct target *target, const struct ask *asked);

int client_audit_reopen(const struct target *target);

#endif
