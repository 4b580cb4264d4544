/*
 * Turns the addresses of a policy's names into records and back. The reader trusts
 * nothing: counts and families are checked, and the number of records is that of its
 * own policy.
 */
#include "gateway/host/policy-names.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Of a backend's name, of one of its hosts, or of a rule's destination. */
struct addresses_record {
	uint32_t n;
	struct ip_addr addresses[POLICY_ADDRESSES_MAX];
};

/* Of an interface, or of an advertised name. */
struct pair_record {
	struct ip_addr v4, v6;
};

static bool is_named(const struct policy_backend *backend, const struct policy_server *server)
{
	return !backend->original && (server->naddresses > 0 || server->endpoint.addr.family == IP_NONE);
}

static bool is_looked_up(const struct policy_advertise *entry)
{
	return entry->host != NULL || entry->interface != NULL;
}

size_t policy_names_size(const struct policy *policy)
{
	size_t n = 0, pairs = policy->nbackends + policy->nat.nadvertise;

	for (size_t i = 0; i < policy->nbackends; i++)
		n += policy->backends[i].nservers + policy->backends[i].nhosts;
	for (size_t i = 0; i < policy->nrules; i++)
		n += policy->rules[i].ndestinations;
	return n * sizeof(struct addresses_record) + pairs * sizeof(struct pair_record);
}

static uint8_t *get_addresses(uint8_t *buf, const struct ip_addr *addresses, size_t n)
{
	struct addresses_record record = { .n = (uint32_t)n };

	memcpy(record.addresses, addresses, sizeof(record.addresses));
	memcpy(buf, &record, sizeof(record));
	return buf + sizeof(record);
}

static uint8_t *get_hosts(uint8_t *buf, const struct policy_host *hosts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf = get_addresses(buf, hosts[i].addresses, hosts[i].naddresses);
	return buf;
}

static uint8_t *get_pair(uint8_t *buf, const struct ip_addr *v4, const struct ip_addr *v6)
{
	const struct pair_record record = { .v4 = *v4, .v6 = *v6 };

	memcpy(buf, &record, sizeof(record));
	return buf + sizeof(record);
}

void policy_names_get(const struct policy *policy, uint8_t *buf)
{
	for (size_t i = 0; i < policy->nbackends; i++) {
		const struct policy_backend *backend = &policy->backends[i];

		for (size_t j = 0; j < backend->nservers; j++)
			buf =
			    get_addresses(buf, backend->servers[j].addresses, backend->servers[j].naddresses);
		buf = get_hosts(buf, backend->hosts, backend->nhosts);
		buf = get_pair(buf, &backend->source_v4, &backend->source_v6);
	}
	for (size_t i = 0; i < policy->nrules; i++)
		buf = get_hosts(buf, policy->rules[i].destinations, policy->rules[i].ndestinations);
	for (size_t i = 0; i < policy->nat.nadvertise; i++) {
		const struct policy_advertise *entry = &policy->nat.advertise[i];

		buf = get_pair(buf, &entry->v4, &entry->v6);
	}
}

static bool has_family(const struct ip_addr *addr, enum ip_family family, bool or_none)
{
	return addr->family == family || (or_none && addr->family == IP_NONE);
}

/* A name has at least one address. */
static int set_addresses(const uint8_t **buf, struct ip_addr addresses[static POLICY_ADDRESSES_MAX],
			 size_t *ret_n)
{
	struct addresses_record record;

	memcpy(&record, *buf, sizeof(record));
	*buf += sizeof(record);
	if (record.n == 0 || record.n > POLICY_ADDRESSES_MAX)
		return -EPROTO;
	for (size_t i = 0; i < record.n; i++)
		if (!has_family(&record.addresses[i], IP_V4, false) &&
		    !has_family(&record.addresses[i], IP_V6, false))
			return -EPROTO;
	memcpy(addresses, record.addresses, record.n * sizeof(record.addresses[0]));
	*ret_n = record.n;
	return 0;
}

static int set_hosts(const uint8_t **buf, struct policy_host *hosts, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = set_addresses(buf, hosts[i].addresses, &hosts[i].naddresses);
	return r;
}

/* What is not looked up keeps what the text says. */
static int set_pair(const uint8_t **buf, bool looked_up, struct ip_addr *v4, struct ip_addr *v6)
{
	struct pair_record record;

	memcpy(&record, *buf, sizeof(record));
	*buf += sizeof(record);
	if (!looked_up)
		return 0;
	if (!has_family(&record.v4, IP_V4, true) || !has_family(&record.v6, IP_V6, true))
		return -EPROTO;
	*v4 = record.v4;
	*v6 = record.v6;
	return 0;
}

static int set_server(const uint8_t **buf, const struct policy_backend *backend, struct policy_server *server)
{
	uint32_t n;
	int r;

	if (is_named(backend, server)) {
		r = set_addresses(buf, server->addresses, &server->naddresses);
		server->endpoint.addr = server->addresses[0];
		return r;
	}
	memcpy(&n, *buf, sizeof(n));
	*buf += sizeof(struct addresses_record);
	return n == 0 ? 0 : -EPROTO;
}

static int set_backend(const uint8_t **buf, struct policy_backend *backend)
{
	int r = 0;

	for (size_t i = 0; i < backend->nservers && r == 0; i++)
		r = set_server(buf, backend, &backend->servers[i]);
	if (r == 0)
		r = set_hosts(buf, backend->hosts, backend->nhosts);
	if (r == 0)
		r = set_pair(buf, backend->source_interface != NULL, &backend->source_v4,
			     &backend->source_v6);
	return r;
}

int policy_names_set(struct policy *policy, const uint8_t *buf, size_t len)
{
	int r = len == policy_names_size(policy) ? 0 : -EPROTO;

	for (size_t i = 0; i < policy->nbackends && r == 0; i++)
		r = set_backend(&buf, &policy->backends[i]);
	for (size_t i = 0; i < policy->nrules && r == 0; i++)
		r = set_hosts(&buf, policy->rules[i].destinations, policy->rules[i].ndestinations);
	for (size_t i = 0; i < policy->nat.nadvertise && r == 0; i++) {
		struct policy_advertise *entry = &policy->nat.advertise[i];

		r = set_pair(&buf, is_looked_up(entry), &entry->v4, &entry->v6);
	}
	return r;
}

struct comparison {
	policy_names_fn *fn;
	void *context;
	bool differ, apart;
};

/* How many of these addresses are among those? */
static size_t in_common(const struct ip_addr *these, size_t nthese, const struct ip_addr *those,
			size_t nthose)
{
	size_t n = 0;

	for (size_t i = 0; i < nthese; i++)
		for (size_t j = 0; j < nthose; j++)
			if (ip_addr_equal(&these[i], &those[j])) {
				n++;
				break;
			}
	return n;
}

static void compare(struct comparison *comparison, const char *name, const struct ip_addr *old, size_t nold,
		    const struct ip_addr *new, size_t nnew)
{
	size_t kept = in_common(old, nold, new, nnew);

	if (kept == nold && in_common(new, nnew, old, nold) == nnew)
		return;
	comparison->differ = true;
	comparison->apart = comparison->apart || kept == 0;
	comparison->fn(comparison->context, name, old, nold, new, nnew);
}

static void compare_hosts(struct comparison *comparison, const struct policy_host *old,
			  const struct policy_host *new, size_t n)
{
	for (size_t i = 0; i < n; i++)
		compare(comparison, old[i].name, old[i].addresses, old[i].naddresses, new[i].addresses,
			new[i].naddresses);
}

/* The addresses of an entry that has one of each family at most. */
static size_t pack(const struct ip_addr *v4, const struct ip_addr *v6, struct ip_addr packed[static 2])
{
	size_t n = 0;

	if (v4->family != IP_NONE)
		packed[n++] = *v4;
	if (v6->family != IP_NONE)
		packed[n++] = *v6;
	return n;
}

static void compare_sources(struct comparison *comparison, const struct policy_backend *old,
			    const struct policy_backend *new)
{
	struct ip_addr was[2], is[2];

	if (old->source_interface != NULL)
		compare(comparison, old->source_interface, was, pack(&old->source_v4, &old->source_v6, was),
			is, pack(&new->source_v4, &new->source_v6, is));
}

static void compare_advertised(struct comparison *comparison, const struct policy_advertise *old,
			       const struct policy_advertise *new)
{
	struct ip_addr was[2], is[2];

	if (is_looked_up(old))
		compare(comparison, old->host != NULL ? old->host : old->interface, was,
			pack(&old->v4, &old->v6, was), is, pack(&new->v4, &new->v6, is));
}

bool policy_names_differ(const struct policy *old, const struct policy *new, policy_names_fn *fn,
			 void *context, bool *ret_apart)
{
	struct comparison comparison = { .fn = fn, .context = context };

	for (size_t i = 0; i < old->nbackends; i++) {
		const struct policy_backend *was = &old->backends[i], *is = &new->backends[i];

		for (size_t j = 0; j < was->nservers; j++)
			compare(&comparison, was->servers[j].host, was->servers[j].addresses,
				was->servers[j].naddresses, is->servers[j].addresses,
				is->servers[j].naddresses);
		compare_hosts(&comparison, was->hosts, is->hosts, was->nhosts);
		compare_sources(&comparison, was, is);
	}
	for (size_t i = 0; i < old->nrules; i++)
		compare_hosts(&comparison, old->rules[i].destinations, new->rules[i].destinations,
			      old->rules[i].ndestinations);
	for (size_t i = 0; i < old->nat.nadvertise; i++)
		compare_advertised(&comparison, &old->nat.advertise[i], &new->nat.advertise[i]);
	*ret_apart = comparison.apart;
	return comparison.differ;
}
