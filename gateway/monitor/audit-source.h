/*
 * The audit trail of all processes: opens it for each of them, opens it again when its file was
 * renamed or its reader has come back, and knows whether it can be written. Belongs to the monitor.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_AUDIT_SOURCE_H
#define ATTLSD_GATEWAY_MONITOR_AUDIT_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/loop.h"
#include "gateway/monitor/children.h"
#include "policy/policy.h"

/* Which file a descriptor is; all zero: none. */
struct audit_place {
	dev_t dev;
	ino_t ino;
};

#define AUDIT_SOURCE_TEXT_MAX 320

struct audit_source {
	struct loop *loop;
	struct children *children;
	struct policy_daemon daemon; /* the keys in force; its paths are owned */
	struct audit_fds coming;     /* of a policy that is not in force yet */
	struct audit_place audit, xferlog;
	struct timer timer;
	bool started;
	bool failing;			     /* some process could not write lately, or the file is gone */
	bool audit_gone, xferlog_gone;	     /* not where they were, and cannot be made again */
	char refusal[AUDIT_SOURCE_TEXT_MAX]; /* of the last audit_source_reopen() */
	uint64_t failing_since_ms;
};

void audit_source_init(struct audit_source *source, struct loop *loop, struct children *children);

/* Open what a policy names. Returns 0, or a negative errno and the faults in diags. */
int audit_source_prepare(struct audit_source *source, const struct policy_daemon *daemon,
			 struct diags *diags);

/* That policy is in force: all processes of older generations follow it. Or it never will be. */
void audit_source_promote(struct audit_source *source, const struct generation *current);
void audit_source_abandon(struct audit_source *source);

/*
 * Give all processes new descriptors, for example since the file was renamed. Returns NULL, or why not,
 * which is valid until the next call.
 */
const char *audit_source_reopen(struct audit_source *source);

/* A process cannot write. */
void audit_source_failed(struct audit_source *source, pid_t pid);

/* Must new sessions be refused (audit_failure)? */
bool audit_source_refuses(const struct audit_source *source);

/* This process is another one from now on: it numbers its events anew. */
void audit_source_forked(struct audit_source *source, const char *role);

void audit_source_done(struct audit_source *source);

#endif
