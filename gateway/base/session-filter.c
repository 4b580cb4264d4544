/* Compares a session with what an operator asks for. */
#include "gateway/base/session-filter.h"

#include <string.h>

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

bool session_filter_is_sound(const struct session_filter *filter)
{
	return is_text(filter->user, sizeof(filter->user)) && is_text(filter->rule, sizeof(filter->rule)) &&
	       is_text(filter->listener, sizeof(filter->listener)) &&
	       is_text(filter->backend, sizeof(filter->backend));
}

struct session_clients session_filter_clients(const struct ip_range *range)
{
	struct session_clients clients = { .family = (uint8_t)range->low.family };

	memcpy(clients.low, range->low.bytes, sizeof(clients.low));
	memcpy(clients.high, range->high.bytes, sizeof(clients.high));
	return clients;
}

static bool has_client(const struct session_clients *clients, const struct ip_addr *client)
{
	return client != NULL && clients->family == client->family &&
	       memcmp(clients->low, client->bytes, sizeof(clients->low)) <= 0 &&
	       memcmp(client->bytes, clients->high, sizeof(clients->high)) <= 0;
}

/* "" asks for nothing. */
static bool fits(const char *wanted, const char *text)
{
	return wanted[0] == '\0' || (text != NULL && strcmp(wanted, text) == 0);
}

bool session_filter_matches(const struct session_filter *filter, const struct session_traits *traits)
{
	return (filter->session == 0 || filter->session == traits->session) &&
	       (filter->client.family == IP_NONE || has_client(&filter->client, traits->client)) &&
	       (filter->transfers == 0 || traits->transfers) &&
	       traits->idle_ms >= (uint64_t)filter->idle_s * 1000 && fits(filter->user, traits->user) &&
	       fits(filter->rule, traits->rule) && fits(filter->listener, traits->listener) &&
	       fits(filter->backend, traits->backend);
}
