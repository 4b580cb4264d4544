/*
 * Loads a policy in a process of its own, while the monitor goes on: reading files,
 * looking up names and users, and trying keys may all take long, or for ever.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_POLICY_LOAD_H
#define ATTLSD_GATEWAY_MONITOR_POLICY_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/monitor/keeper-start.h"
#include "gateway/tls/policy-digest.h"
#include "gateway/tls/ticket-secrets.h"
#include "policy/policy.h"

struct policy_load;

/* What the monitor gets; policy and diags (with the text, for later faults) are the callback's to free. */
struct policy_loaded {
	struct policy *policy;
	struct diags diags;
	struct keeper_user users;	/* not from policy_load_names() */
	struct ticket_secrets *secrets; /* the same; the callback's; NULL: none */
	uint32_t good_s;		/* for how many seconds its names are good; 0: it has none */
	char sha256[POLICY_DIGEST_TEXT];
};

/*
 * The end of a load: r is 0 and loaded is set, or r is a negative errno and loaded is
 * NULL; the faults have been printed. -EHOSTUNREACH: only names were not found.
 */
typedef void policy_load_fn(struct policy_load *load, int r, struct policy_loaded *loaded);

#define POLICY_LOAD_STEP_MAX 160

struct policy_load {
	struct loop *loop;
	const char *path;
	const char *own;  /* the file of this node; NULL: none */
	const char *text; /* of policy_load_names(); NULL: read the file */
	size_t text_len;
	struct policy_own_text own_text; /* the same; set it before policy_load_names() */
	const struct policy *current;	 /* of policy_load_names() */
	policy_load_fn *fn;
	struct watch pipe; /* fd -1: none is under way */
	struct timer deadline;
	uint8_t *buf; /* in shared pages (shared.h), of RESULT_MAX bytes: secrets are in it */
	size_t len;
	char sha256[POLICY_DIGEST_TEXT]; /* of the text that it read; "": of none */
	char step[POLICY_LOAD_STEP_MAX]; /* what it did last, for a failure; "": nothing yet */
};

void policy_load_init(struct policy_load *load, struct loop *loop, const char *path, policy_load_fn *fn);

/* Returns 0 and later calls fn, or a negative errno. */
int policy_load_begin(struct policy_load *load);

/*
 * The same for a policy that has been loaded before: only its names are looked up again.
 * The text and the policy outlive the load. A name that is not found keeps its addresses.
 */
int policy_load_names(struct policy_load *load, const char *text, size_t len, const struct policy *current);
bool policy_load_runs(const struct policy_load *load);

/* Forget it; fn is not called. */
void policy_load_cancel(struct policy_load *load);

/* Why it has failed with r, for the log: the loader itself says nothing of its own end. Returns buf. */
const char *policy_load_error(const struct policy_load *load, int r, char *buf, size_t size);

#endif
