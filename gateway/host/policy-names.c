/*
 * Turns the addresses of a policy's names into records and back. The reader trusts
 * nothing: counts and families are checked, and the number of records is that of its
 * own policy.
 */
#include "gateway/host/policy-names.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct backend_record {
	uint32_t n;
	struct ip_addr addresses[POLICY_ADDRESSES_MAX];
};

struct advertise_record {
	struct ip_addr v4, v6;
};

static bool is_named(const struct policy_backend *backend)
{
	return !backend->original && (backend->naddresses > 0 || backend->endpoint.addr.family == IP_NONE);
}

static bool is_looked_up(const struct policy_advertise *entry)
{
	return entry->host != NULL || entry->interface != NULL;
}

size_t policy_names_size(const struct policy *policy)
{
	return policy->nbackends * sizeof(struct backend_record) +
	       policy->nat.nadvertise * sizeof(struct advertise_record);
}

void policy_names_get(const struct policy *policy, uint8_t *buf)
{
	for (size_t i = 0; i < policy->nbackends; i++) {
		const struct policy_backend *backend = &policy->backends[i];
		struct backend_record record = { .n = (uint32_t)backend->naddresses };

		memcpy(record.addresses, backend->addresses, sizeof(record.addresses));
		memcpy(buf, &record, sizeof(record));
		buf += sizeof(record);
	}
	for (size_t i = 0; i < policy->nat.nadvertise; i++) {
		const struct policy_advertise *entry = &policy->nat.advertise[i];
		const struct advertise_record record = { .v4 = entry->v4, .v6 = entry->v6 };

		memcpy(buf, &record, sizeof(record));
		buf += sizeof(record);
	}
}

static bool has_family(const struct ip_addr *addr, enum ip_family family, bool or_none)
{
	return addr->family == family || (or_none && addr->family == IP_NONE);
}

static int set_backend(struct policy_backend *backend, const struct backend_record *record)
{
	if (!is_named(backend))
		return record->n == 0 ? 0 : -EPROTO;
	if (record->n == 0 || record->n > POLICY_ADDRESSES_MAX)
		return -EPROTO;
	for (size_t i = 0; i < record->n; i++)
		if (!has_family(&record->addresses[i], IP_V4, false) &&
		    !has_family(&record->addresses[i], IP_V6, false))
			return -EPROTO;
	memcpy(backend->addresses, record->addresses, record->n * sizeof(record->addresses[0]));
	backend->naddresses = record->n;
	backend->endpoint.addr = backend->addresses[0];
	return 0;
}

static int set_advertise(struct policy_advertise *entry, const struct advertise_record *record)
{
	if (!is_looked_up(entry))
		return 0;
	if (!has_family(&record->v4, IP_V4, true) || !has_family(&record->v6, IP_V6, true))
		return -EPROTO;
	entry->v4 = record->v4;
	entry->v6 = record->v6;
	return 0;
}

int policy_names_set(struct policy *policy, const uint8_t *buf, size_t len)
{
	int r = len == policy_names_size(policy) ? 0 : -EPROTO;

	for (size_t i = 0; i < policy->nbackends && r == 0; i++) {
		struct backend_record record;

		memcpy(&record, buf, sizeof(record));
		buf += sizeof(record);
		r = set_backend(&policy->backends[i], &record);
	}
	for (size_t i = 0; i < policy->nat.nadvertise && r == 0; i++) {
		struct advertise_record record;

		memcpy(&record, buf, sizeof(record));
		buf += sizeof(record);
		r = set_advertise(&policy->nat.advertise[i], &record);
	}
	return r;
}
