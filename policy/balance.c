/*
 * Chooses a server. For `source`, each pair of client and server has a weight, and the
 * server with the largest one wins (rendezvous hashing): if a server goes, only its own
 * clients move, and they come back with it. All gateways with the same policy agree.
 */
#include "policy/balance.h"

#include <string.h>

/* FNV-1a, then the finalizer of MurmurHash3: similar addresses must not get similar weights. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t weight(const char *text, const struct ip_addr *key)
{
	const uint8_t family = (uint8_t)key->family;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	hash = mix(hash, text, strlen(text));
	hash = mix(hash, &family, sizeof(family));
	hash = mix(hash, key->bytes, key->family == IP_V6 ? 8 : sizeof(key->bytes)); /* a host has a /64 */
	hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ (hash >> 33);
}

/* Is a better than b, which comes before it in the policy? Both are of the same class. */
static bool is_better(enum backend_balance balance, const struct balance_server *a,
		      const struct balance_server *b, const struct ip_addr *key)
{
	switch (balance) {
	case BALANCE_FIRST:
		return false;
	case BALANCE_LEAST_SESSIONS:
		if (a->sessions != b->sessions)
			return a->sessions < b->sessions;
		return a->chosen_at < b->chosen_at;
	case BALANCE_ROUND_ROBIN: /* also without those that are down: nobody gets the share of two */
		return a->chosen_at < b->chosen_at;
	case BALANCE_SOURCE:
		return weight(a->text, key) > weight(b->text, key);
	}
	return false;
}

size_t balance_choose(enum backend_balance balance, const struct balance_server *servers, size_t n,
		      const struct ip_addr *key)
{
	size_t best = n;

	for (size_t i = 0; i < n; i++) {
		if (servers[i].class == BALANCE_OUT)
			continue;
		if (best == n || servers[i].class < servers[best].class ||
		    (servers[i].class == servers[best].class &&
		     is_better(balance, &servers[i], &servers[best], key)))
			best = i;
	}
	return best;
}
