/*
 * The input is the file of a `server_map`. Whatever it holds: either there is a fault that can be printed,
 * or a map whose last entry is for all others, with sizes inside the limits, servers that the backend
 * has, and no entry twice.
 */
#include "policy/server-map.h"

#include <errno.h>
#include <stdio.h>

#include "policy/diag.h"
#include "tests/fuzz/fuzz.h"

#define FAULT_MAX 1000 /* bytes of a message */

static struct policy_server servers[] = { { .text = "a:21" },
					  { .text = "[2001:db8::1]:21" },
					  { .text = "c" } };
static const struct policy_backend backend = {
	.name = "b", .server_map = "map", .servers = servers, .nservers = 3
};

static void check_entry(const struct server_map_entry *entry, bool last)
{
	size_t len = strlen(entry->value);

	assert((entry->kind == SERVER_MAP_OTHERS) == last);
	assert(entry->kind < SERVER_MAP_KINDS && (len > 0) != last);
	assert(len <= (entry->kind == SERVER_MAP_CERTIFICATE ? SERVER_MAP_VALUE_MAX : 255));
	assert(entry->server < backend.nservers || entry->server == SERVER_MAP_BALANCE);
	for (size_t i = 0; i < len; i++)
		assert((uint8_t)entry->value[i] >= ' ' || entry->value[i] == '\t');
	assert(last || server_map_fits(entry, entry->value, len));
	assert(!server_map_fits(entry, entry->value, len + 1));
}

/* Only the first ones: each is compared with all that come before it. */
#define COMPARED_MAX 200

static void check_map(const struct server_map *map)
{
	assert(map->n > 0 && map->n <= SERVER_MAP_ENTRIES_MAX);
	for (size_t i = 0; i < map->n; i++) {
		const struct server_map_entry *entry = &map->entries[i];

		check_entry(entry, i + 1 == map->n);
		assert(map->has[entry->kind]);
		assert(i == 0 || entry->line > entry[-1].line);
		for (size_t j = 0; j < i && i < COMPARED_MAX; j++)
			assert(map->entries[j].kind != entry->kind ||
			       !server_map_fits(&map->entries[j], entry->value, strlen(entry->value)));
	}
}

/* What is printed must leave a terminal alone, and say enough. */
static void check_faults(const struct diags *diags)
{
	assert(diags->nerrors > 0 && diags->nerrors <= SERVER_MAP_FAULTS_MAX);
	for (size_t i = 0; i < diags->nitems; i++) {
		const char *text = diags->items[i].message;

		assert(text[0] != '\0' && strlen(text) <= FAULT_MAX);
		for (size_t at = 0; text[at] != '\0'; at++)
			assert((uint8_t)text[at] >= ' ' || text[at] == '\t');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_copy(data, size);
	struct server_map *map = NULL;
	struct diags diags;
	int r;

	assert(diags_init(&diags, "policy.yaml", NULL, 0) == 0);
	r = server_map_parse((const char *)copy, size, &backend, &diags, &map);
	free(copy); /* nothing may point into it any more */
	assert(r == (map != NULL ? 0 : -EINVAL));
	if (map != NULL)
		check_map(map);
	else
		check_faults(&diags);
	assert(map == NULL || diags.nerrors == 0);
	server_map_free(&map);
	assert(map == NULL);
	diags_done(&diags);
	return 0;
}
