/* Which attlsd attlsctl asks. */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_TARGET_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_TARGET_H

/* The attlsd to ask. */
struct target {
	const char *socket; /* NULL: nobody reads what is wrong with it */
	const char *policy; /* the policy that it must serve; NULL: any */
	int patience_ms;    /* for the next of several answers; 0: as long as a busy worker may need */
};

/* Print to stderr what is wrong with the attlsd at this socket. Returns -1. */
int client_fault(const struct target *target, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
