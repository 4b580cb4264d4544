/* The checks of doctor share this: their input, and how they report findings. */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_REPORT_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_REPORT_H

#include <stdbool.h>

#include "policy/policy.h"

#define DOCTOR_TEXT_MAX 512

struct json_t;
struct ruleset;

/* Worst first. */
enum doctor_level { DOCTOR_PROBLEM = 0, DOCTOR_CANNOT_TELL, DOCTOR_WARNING, DOCTOR_OK };

struct doctor {
	const struct policy *policy;
	const char *path;	 /* path of the policy */
	struct ruleset *ruleset; /* NULL: nft failed; the check `rules` reports why */
	int ruleset_error;	 /* the negative errno of that failure */
	struct json_t *findings;
	const char *check;	    /* the check that is running */
	char fix[DOCTOR_TEXT_MAX];  /* the fix for the next finding; "": none */
	char look[DOCTOR_TEXT_MAX]; /* where an administrator can look instead; "": nowhere */
	enum doctor_level worst;
};

/*
 * Each reports one finding. A problem or warning uses the fix that doctor_fix() has set
 * before. "Cannot tell" is for what a check could not decide: never "ok", and with
 * doctor_look(), what to look at by hand.
 */
void doctor_fix(struct doctor *doctor, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doctor_look(struct doctor *doctor, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doctor_ok(struct doctor *doctor, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doctor_warning(struct doctor *doctor, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doctor_problem(struct doctor *doctor, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doctor_cannot_tell(struct doctor *doctor, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, with the status as an argument. */
void doctor_report(struct doctor *doctor, enum doctor_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

const char *doctor_level_name(enum doctor_level level);

/* The port that clients dial; for a transparent listener it is not that of its socket. */
uint16_t doctor_dialled_port(const struct doctor *doctor, const struct policy_listener *listener);

/* Can other hosts dial this listener? */
bool doctor_is_dialled(const struct policy_listener *listener);

/* Does the policy have a listener of this family (IP_NONE: any) that other hosts can dial? */
bool doctor_is_open(const struct policy *policy, enum ip_family family);

#endif
