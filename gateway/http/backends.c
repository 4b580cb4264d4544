/*
 * The state of each server. The newest counters are compared with the oldest sample: a
 * server that has answered since then is up, one that only failed is down. One that nobody
 * has asked is unknown, whatever happened before.
 */
#include "gateway/http/backends.h"

#include <string.h>

#include "gateway/http/figures.h"

/* How long the samples go back. */
#define RECENT_MS (BACKENDS_SAMPLES * UINT64_C(10000))

static uint64_t connected_of(const struct metrics *metrics, size_t name)
{
	return count_read(&metrics->values, COUNT_AT_CONNECTS + name * COUNT_N_DIAL + COUNT_DIAL_CONNECTED);
}

static uint64_t failures_of(const struct metrics *metrics, size_t name)
{
	return count_read(&metrics->values, COUNT_AT_DOWN + name);
}

static void add_sample(struct backends *backends, const struct metrics *metrics, uint64_t now_s)
{
	const struct backends_sample *last =
	    &backends->samples[(backends->next + BACKENDS_SAMPLES - 1) % BACKENDS_SAMPLES];
	struct backends_sample *sample = &backends->samples[backends->next];

	for (size_t i = 0; i < COUNT_NAMES_OTHER; i++) {
		uint64_t failures = failures_of(metrics, i);

		if (backends->n > 0 && failures > last->failures[i])
			backends->failed_s[i] = now_s;
		sample->connected[i] = connected_of(metrics, i);
		sample->failures[i] = failures;
	}
	backends->next = (backends->next + 1) % BACKENDS_SAMPLES;
	backends->n += backends->n < BACKENDS_SAMPLES;
}

void backends_sample(struct backends *backends, const struct metrics *metrics, uint64_t now_s)
{
	/* if attlsd has just started, all that it has counted is recent: compare with zeroes */
	if (backends->n == 0 && metrics->gateway.counted_ms < RECENT_MS)
		backends->n = backends->next = 1;
	add_sample(backends, metrics, now_s);
}

static const char *state_of(const struct backends *backends, const struct metrics *metrics, size_t name)
{
	const struct backends_sample *oldest =
	    &backends->samples[(backends->next + BACKENDS_SAMPLES - backends->n) % BACKENDS_SAMPLES];

	if (backends->n == 0)
		return "unknown";
	if (connected_of(metrics, name) > oldest->connected[name])
		return "up";
	return failures_of(metrics, name) > oldest->failures[name] ? "down" : "unknown";
}

/* As the policy writes them; NULL: it has none of this name now. */
static const char *addresses_of(const struct backends *backends, const char *name)
{
	const char *at = backends->addresses;

	while (at != NULL && at[0] != '\0') {
		const char *addresses = at + strlen(at) + 1;

		if (strcmp(at, name) == 0)
			return addresses;
		at = addresses + strlen(addresses) + 1;
	}
	return NULL;
}

json_t *backends_json(const struct backends *backends, const struct metrics *metrics)
{
	json_t *list = json_array();

	for (size_t i = 0; i < COUNT_NAMES_OTHER; i++) {
		const char *name = metrics->names[COUNT_KIND_BACKEND][i].first;
		uint64_t failed_s = backends->failed_s[i];

		if (name[0] == '\0')
			continue;
		(void)json_array_append_new(
		    list, json_pack("{s:s,s:s?,s:s,s:I,s:I,s:o}", "name", name, "address",
				    addresses_of(backends, name), "state", state_of(backends, metrics, i),
				    "connects", (json_int_t)figures_sum(metrics, "backend_connects", 0, name),
				    "failures", (json_int_t)failures_of(metrics, i), "last_failure",
				    failed_s == 0 ? json_null() : json_integer((json_int_t)failed_s)));
	}
	return list;
}
