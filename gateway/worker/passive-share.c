/* Takes a passive port from the source with the most; see passive-share.h. */
#include "gateway/worker/passive-share.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/net/netsock.h"
#include "gateway/worker/session-state.h"

struct waiting {
	struct ip_addr source;
	uint64_t since_ms;
	struct session *session;
};

/* A host with one IPv6 address has a whole /64 of them (RFC 6177). */
static struct ip_addr source_of(const struct session *session)
{
	struct ip_addr source = session->facts.remote.addr;

	if (source.family == IP_V6)
		memset(source.bytes + 8, 0, sizeof(source.bytes) - 8);
	return source;
}

/* Would this port help the session? It has the same address and is in the same range. */
static bool is_useful(const struct session *other, const struct session *session)
{
	const struct port_range range = netsock_range(session->facts.rule->ftp->passivedataports);
	struct ip_endpoint port;

	return data_conn_is_told(&other->data) && ip_addr_equal(&other->facts.host, &session->facts.host) &&
	       netsock_local(other->data.legs.client.listener.fd, &port) == 0 && port.port >= range.low &&
	       port.port <= range.high;
}

static int compare(const void *a, const void *b)
{
	const struct waiting *one = a, *two = b;
	int order = memcmp(one->source.bytes, two->source.bytes, sizeof(one->source.bytes));

	if (order == 0)
		order = (int)one->source.family - (int)two->source.family;
	if (order == 0)
		order = one->since_ms < two->since_ms ? -1 : one->since_ms > two->since_ms;
	return order;
}

/* The oldest port of the source that has the most; NULL: none has two more than `own`. */
static struct session *choose(struct waiting *all, size_t n, const struct ip_addr *own)
{
	size_t most = 0, mine = 0, length;
	struct session *result = NULL;

	qsort(all, n, sizeof(*all), compare);
	for (size_t first = 0; first < n; first += length) {
		for (length = 1;
		     first + length < n && ip_addr_equal(&all[first].source, &all[first + length].source);)
			length++;
		if (ip_addr_equal(&all[first].source, own))
			mine = length;
		if (length > most) {
			most = length;
			result = all[first].session;
		}
	}
	return most > mine + 1 ? result : NULL;
}

bool passive_share_make_room(struct session *session)
{
	const struct session_table *table = &session->worker->sessions;
	const struct ip_addr own = source_of(session);
	struct waiting *all = calloc(table->n, sizeof(*all));
	struct session *giver;
	size_t n = 0;

	if (all == NULL)
		return false;
	for (struct session_node *node = table->head; node != NULL; node = node->next) {
		struct session *other = session_of(node);

		if (is_useful(other, session))
			all[n++] = (struct waiting){ .source = source_of(other),
						     .since_ms = other->data.legs.told.since_ms,
						     .session = other };
	}
	giver = choose(all, n, &own);
	free(all);
	if (giver != NULL)
		data_legs_give_port(&giver->data.legs, "needed-by-others");
	return giver != NULL;
}
