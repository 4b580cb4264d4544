/*
 * What the checks of doctor share: what they look at, and how they report what
 * they have found.
 */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_REPORT_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

#define DOCTOR_TEXT_MAX 512

struct json_t;
struct ruleset;

struct doctor {
	const struct policy *policy;
	const char *path;	 /* of the policy */
	struct ruleset *ruleset; /* NULL: nft does not tell; the check `rules` says why */
	int ruleset_error;	 /* then, negative */
	struct json_t *findings;
	const char *check;	   /* that is running */
	char fix[DOCTOR_TEXT_MAX]; /* of the next finding; "": none */
	bool bad;
};

enum doctor_level { DOCTOR_PROBLEM = 0, DOCTOR_WARNING, DOCTOR_OK };

/* One finding each. A problem takes the command that doctor_fix() has set before; so does a warning. */
void doctor_fix(struct doctor *doctor, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doctor_ok(struct doctor *doctor, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doctor_warning(struct doctor *doctor, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doctor_problem(struct doctor *doctor, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, where a check decides how bad it is. */
void doctor_report(struct doctor *doctor, enum doctor_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The port that clients dial: for a transparent listener not that of its socket. */
uint16_t doctor_dialled_port(const struct doctor *doctor, const struct policy_listener *listener);

/* What the policy asks of the host. */
bool doctor_has_low_port(const struct policy *policy);
/* Is there a listener of this family (IP_NONE: of any) that other hosts can dial? */
bool doctor_is_open(const struct policy *policy, enum ip_family family);

#endif
