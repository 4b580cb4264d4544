/*
 * The clients that explain is asked about: one that the command line describes, or a
 * sample with one client for each group that a policy treats alike.
 */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_SAMPLES_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_SAMPLES_H

#include <stddef.h>

#include "gateway/ctl/explain.h"

/* As on the command line; NULL: not given. */
struct explain_question {
	const char *listener;
	const char *address; /* of the client */
	const char *local;   /* that it dialled, perhaps with a port */
	const char *to;	     /* the server that it dialled through a transparent listener; may be a name */
	const char *certificate;
	const char *user;
	const char *sni;
	const char *host;  /* of HOST */
	const char *path;  /* at the server */
	const char *other; /* the policy to compare with */
	const char *at;	   /* when it connects */
};

struct explain_sample {
	const char *listener; /* its name, which the policy owns */
	struct ip_addr remote;
	struct ip_endpoint local;
	int64_t at_s; /* seconds since 1970 */
	bool local_is_example;
};

struct explain_samples {
	struct explain_sample *items; /* owned */
	size_t n;
};

/*
 * Answer the question with samples for one policy or two (`b` may be NULL): all
 * clients that a rule, an address of nat.advertise or a listener tells apart have a
 * sample of their own. Returns 0, or the exit status after printing what is wrong. The samples start empty,
 * and the caller frees them in any case.
 */
int explain_samples_make(const struct policy *a, const struct policy *b,
			 const struct explain_question *question, struct explain_samples *samples);
void explain_samples_free(struct explain_samples *samples);

/* The same client at a policy. False: it has no such listener, or none of this address family. */
bool explain_sample_place(const struct explain_sample *sample, const struct policy *policy,
			  struct explain_place *ret_place);

#endif
