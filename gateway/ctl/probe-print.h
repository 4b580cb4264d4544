/* The result of a probe, as text or as JSON. */
#ifndef ATTLSD_GATEWAY_CTL_PROBE_PRINT_H
#define ATTLSD_GATEWAY_CTL_PROBE_PRINT_H

#include <stdbool.h>

#include "gateway/ctl/probe.h"

/* What policy would say of the server. */
enum probe_verified {
	PROBE_UNSEEN = 0, /* nothing: it has shown no certificate */
	PROBE_VERIFIED,
	PROBE_WRONG_NAME, /* its certificate does not name the host */
	PROBE_UNTRUSTED,  /* no trusted authority has signed it */
	PROBE_UNUSABLE,	  /* no setting accepts it: expired, or too weak */
};

struct probe_names {
	const char *host;
	const char *hostname; /* that the certificate must name */
	const char *trust;    /* NULL: the system's authorities */
	enum probe_verified verified;
	char reason[PROBE_TEXT_MAX]; /* why it has not been verified */
};

void probe_print(const struct probe_target *target, const struct probe_names *names,
		 const struct probe_result *result, bool json);

#endif
