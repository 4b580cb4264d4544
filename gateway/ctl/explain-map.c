/* Asks the server map which server the explained client gets. */
#include "gateway/ctl/explain-map.h"

#include <string.h>

#include "gateway/tls/server-maps.h"

void explain_map_setup(struct explain_maker *maker, const struct policy_backend *backend)
{
	if (backend->server_map == NULL)
		return;
	maker->late_choice.takes_host = server_maps_take_host(maker->client->maps, backend);
	maker->setup.late_choice = &maker->late_choice;
}

json_t *explain_map(struct explain_maker *maker, const struct policy_backend *backend,
		    const struct identity *identity)
{
	const char *user = maker->client->user != NULL ? maker->client->user : maker->identity.user;
	const struct server_map_client client = {
		.user = user,
		.user_len = user != NULL ? strlen(user) : 0,
		.host = maker->client->host,
		.sni = maker->client->sni,
		.identity = identity,
	};
	const struct server_map_entry *entry = server_maps_find(maker->client->maps, backend, &client);
	json_t *one = json_object();

	explain_put(maker, one, "line", json_integer(entry->line));
	explain_put(maker, one, "kind", json_string(server_map_kind_name(entry->kind)));
	explain_put(maker, one, "value", explain_text(entry->value));
	explain_put(maker, one, "server",
		    entry->server == SERVER_MAP_BALANCE ? json_string("balance")
							: explain_text(backend->servers[entry->server].text));
	return one;
}
