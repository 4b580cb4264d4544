/*
 * Which clients a stricter policy would shut out, judged by what their sessions have shown.
 * Without evidence, the verdict is "unknown".
 */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_VERDICT_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_VERDICT_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"

enum verdict {
	VERDICT_UNKNOWN = 0, /* its sessions have not shown it */
	VERDICT_WORKS,
	VERDICT_PARTLY, /* some of its sessions, or some of what they do, would be refused */
	VERDICT_BREAKS,
	VERDICTS
};

/* A change of the policy. */
struct client_change {
	const char *name;   /* for scripts */
	const char *policy; /* the lines to change; changes with `always` are in force and have none */
	uint64_t breaks;    /* habits that the change refuses: bits of HABIT_BIT() */
	uint64_t hinders;   /* the same for what a client may go on without */
	uint64_t works;	    /* habits that show that it would work */
	const char *reason; /* why it breaks */
	int always;	    /* attlsd refuses this under any policy */
};

#define CLIENT_CHANGES 11

extern const struct client_change client_changes[CLIENT_CHANGES];

/* What of a client has been shown since then, in seconds since 1970: bits of HABIT_BIT(). */
uint64_t client_habits_since(const struct answer_client *client, uint64_t since_s);

enum verdict client_verdict(const struct client_change *change, uint64_t habits);

/* "breaks", for scripts. */
const char *client_verdict_name(enum verdict verdict);

/* How many changes have this verdict. */
size_t client_verdict_count(uint64_t habits, enum verdict verdict);

#endif
