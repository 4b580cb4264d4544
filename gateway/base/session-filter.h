/*
 * Which sessions an operator asks for: `attlsctl sessions`, `end`, `trace` and `top` take
 * the same options. A filter travels through the control socket and to workers, so it
 * has one size and no pointers.
 */
#ifndef ATTLSD_GATEWAY_BASE_SESSION_FILTER_H
#define ATTLSD_GATEWAY_BASE_SESSION_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/ip.h"

#define SESSION_FILTER_NAME_MAX 33
#define SESSION_FILTER_USER_MAX 65

/* All that is given must match. All zero: every session. */
struct session_filter {
	uint64_t session;		    /* its number; 0: any */
	uint32_t idle_s;		    /* idle for at least so long */
	uint8_t transfers;		    /* 1: only with a transfer under way */
	struct ip_net client;		    /* IP_NONE: any */
	char user[SESSION_FILTER_USER_MAX]; /* texts: "" for any */
	char rule[SESSION_FILTER_NAME_MAX];
	char listener[SESSION_FILTER_NAME_MAX];
	char backend[SESSION_FILTER_NAME_MAX];
};

/* What a filter looks at. Texts that are not known are NULL or "". */
struct session_traits {
	uint64_t session;
	uint64_t idle_ms;
	bool transfers;
	const struct ip_addr *client;
	const char *user, *rule, *listener, *backend;
};

/* A filter that came from another process: are its texts terminated? */
bool session_filter_is_sound(const struct session_filter *filter);

bool session_filter_matches(const struct session_filter *filter, const struct session_traits *traits);

#endif
