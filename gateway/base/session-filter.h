/*
 * Which sessions an operator asks for: `attlsctl sessions`, `end`, `trace` and `top` take
 * the same options. A filter travels through the control socket and to workers, so it
 * has one size and no pointers.
 */
#ifndef ATTLSD_GATEWAY_BASE_SESSION_FILTER_H
#define ATTLSD_GATEWAY_BASE_SESSION_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/ip-range.h"

#define SESSION_FILTER_NAME_MAX 33
#define SESSION_FILTER_USER_MAX 65

/* A struct ip_range in fewer bytes: questions pass between versions in messages of one size. */
struct session_clients {
	uint8_t family; /* 0: any client */
	uint8_t low[16], high[16];
};

/* All that is given must match. All zero: every session. */
struct session_filter {
	uint64_t session;  /* its number; 0: any */
	uint32_t idle_s;   /* idle for at least so long */
	uint8_t transfers; /* 1: only with a transfer under way */
	struct session_clients client;
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

struct session_clients session_filter_clients(const struct ip_range *range);

/* A filter that came from another process: are its texts terminated? */
bool session_filter_is_sound(const struct session_filter *filter);

bool session_filter_matches(const struct session_filter *filter, const struct session_traits *traits);

#endif
