/*
 * The audit trail of this process: one call of write(2) or send(2) an event, to a
 * descriptor that the monitor has opened. Never waits. While the trail cannot be written, events
 * are kept; what there is no room for is lost, counted, and told in the next event.
 *
 * Each process numbers its own events, so that a gap is seen (attlsctl audit verify).
 */
#ifndef ATTLSD_GATEWAY_BASE_AUDIT_H
#define ATTLSD_GATEWAY_BASE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/audit-text.h"
#include "policy/policy.h"

/* The monitor, once: pick the name of this start of attlsd, which its processes share. */
void audit_boot(void);

/*
 * This process begins to number its events, from 1. kind: what the descriptor is; without
 * one, events are kept. on_failure (may be NULL) hears once that an event could not be written, and
 * again after audit_use(). The descriptors stay the caller's to close, once others are in use.
 */
struct audit_fds {
	int audit, xferlog; /* -1: none */
};
struct audit_start {
	enum audit_kind kind;
	struct audit_fds fds;
	void (*on_failure)(void *owner, int error);
	void *owner;
};
void audit_start(const struct audit_start *start);

/*
 * Write to this descriptor from now on, first what was kept. Returns the one before, which is the
 * caller's to close, or -1.
 */
int audit_use(enum audit_kind kind, int fd);
int audit_use_xferlog(int fd);

/* The descriptors in use. */
struct audit_fds audit_fds(void);

bool audit_is_on(void);
bool audit_has_xferlog(void);

/* Another process has left a line without its end: begin the next one after a newline. */
void audit_torn(void);

/* Write what was kept. Returns 0: nothing is left; or the negative errno of the trail. */
int audit_flush(void);

/* Events of this process that were lost since its start. */
uint64_t audit_lost(void);

/* audit_event("process-start", AUDIT_TEXT("role", "monitor")); workers have session_audit(), too */
#define audit_event(event, ...)                                                                              \
	do {                                                                                                 \
		if (audit_is_on())                                                                           \
			audit_write(event, NULL, (const struct audit_field[]){ __VA_ARGS__, AUDIT_END });    \
	} while (0)

/* common (may be NULL) comes before the other fields. */
void audit_write(const char *event, const struct audit_field *common, const struct audit_field *fields);

/* Write a line of the xferlog, which ends with a newline. */
void audit_write_xferlog(const char *line, size_t len);

#endif
