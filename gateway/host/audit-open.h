/*
 * Opens what daemon.audit and daemon.xferlog name, for one process: each has an open file
 * description of its own, so none can spoil another's.
 */
#ifndef ATTLSD_GATEWAY_HOST_AUDIT_OPEN_H
#define ATTLSD_GATEWAY_HOST_AUDIT_OPEN_H

#include <stdbool.h>

#include "policy/policy.h"

/* Where a syslog daemon, and journald, take datagrams. */
#define AUDIT_SYSLOG_SOCKET  "/dev/log"
#define AUDIT_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* The path that daemon.audit stands for; NULL: none. */
const char *audit_open_path(const struct policy_daemon *daemon);

/*
 * Open the audit trail. Never waits. Returns a descriptor, -1 if there is none to open, or a
 * negative errno below -1 and in *ret_why (may be NULL) what is wrong, as words after "PATH: ".
 */
int audit_open(const struct policy_daemon *daemon, const char **ret_why);

/* The same for daemon.xferlog. */
int audit_open_xferlog(const struct policy_daemon *daemon, const char **ret_why);

/*
 * Find faults that do not depend on who asks: a folder that is missing, a file system that is
 * read-only, something that is not a file. Makes and opens nothing. Returns 0, or -EINVAL and
 * errors in diags.
 */
int audit_open_check(const struct policy_daemon *daemon, struct diags *diags);

/* The message that a trail cannot be opened, at its key. */
void audit_open_fault(struct diags *diags, struct diag_mark mark, const char *key, const char *path,
		      const char *why);

#endif
