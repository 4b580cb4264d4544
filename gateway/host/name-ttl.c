/*
 * Asks the DNS about a name once more, because getaddrinfo() does not tell for how long
 * its result is good. Only the TTLs of the answer are read.
 */
#include "gateway/host/name-ttl.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>

#include "gateway/base/util.h"

#define WAIT_S 2 /* for one server, once: without an answer, the TTL is unknown */

static uint32_t shortest(const uint8_t *answer, int len, uint32_t ttl_s)
{
	ns_msg message;
	ns_rr record;

	if (ns_initparse(answer, len, &message) != 0)
		return ttl_s;
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++)
		if (ns_parserr(&message, ns_s_an, i, &record) == 0 && ns_rr_ttl(record) < ttl_s)
			ttl_s = ns_rr_ttl(record);
	return ttl_s;
}

uint32_t name_ttl(const char *name)
{
	static const int types[] = { ns_t_a, ns_t_aaaa };
	struct __res_state state = { 0 };
	uint8_t answer[NS_PACKETSZ * 8];
	uint32_t ttl_s = UINT32_MAX;

	if (res_ninit(&state) != 0)
		return 0;
	state.retrans = WAIT_S;
	state.retry = 1;
	for (size_t i = 0; i < NELEM(types); i++) {
		int len = res_nsearch(&state, name, ns_c_in, types[i], answer, sizeof(answer));

		if (len > 0 && (size_t)len <= sizeof(answer))
			ttl_s = shortest(answer, len, ttl_s);
	}
	res_nclose(&state);
	return ttl_s == UINT32_MAX ? 0 : ttl_s;
}
