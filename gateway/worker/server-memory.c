/*
 * The memory of servers. FTP machines write results into its entries themselves
 * (ftp-alg/ways.h), so all sessions with a server share them at once. This file
 * assigns the entries and counts the minutes.
 */
#include "gateway/worker/server-memory.h"

#include "gateway/base/util.h"

static bool is_free(const struct server_memory *memory)
{
	return memory->server.port == 0;
}

/* A free place, or else the one that was unused longest; NULL: all are in use. */
static struct server_memory *find_place(struct server_memories *memories)
{
	struct server_memory *best = NULL;

	for (size_t i = 0; i < SERVERS_REMEMBERED; i++) {
		struct server_memory *memory = &memories->entries[i];

		if (is_free(memory))
			return memory;
		if (memory->users == 0 && (best == NULL || memory->left_min > best->left_min))
			best = memory;
	}
	return best;
}

struct ftp_ways *server_memory_enter(struct server_memories *memories, uint32_t backend,
				     const struct ip_endpoint *server)
{
	struct server_memory *memory = NULL;

	for (size_t i = 0; i < SERVERS_REMEMBERED && memory == NULL; i++)
		if (memories->entries[i].backend == backend &&
		    ip_endpoint_equal(&memories->entries[i].server, server))
			memory = &memories->entries[i];
	if (memory == NULL) {
		memory = find_place(memories);
		if (memory == NULL)
			return NULL;
		*memory = (struct server_memory){ .server = *server, .backend = backend };
	}
	memory->users++;
	return &memory->ways;
}

void server_memory_leave(struct ftp_ways *ways)
{
	struct server_memory *memory;

	if (ways == NULL)
		return;
	memory = CONTAINER_OF(ways, struct server_memory, ways);
	memory->users--;
	memory->left_min = 0;
}

uint8_t server_memory_minutes(const struct server_memory *memory, uint8_t mode)
{
	for (size_t i = 0; i < FTP_MODES; i++)
		/* age_one() starts to count at the end of the minute in which it was seen */
		if (mode == 1u << i && (memory->ways.fresh & mode) == 0)
			return (uint8_t)(memory->age_min[i] + 1);
	return 0;
}

static void age_one(struct server_memory *memory)
{
	memory->left_min += memory->users == 0;
	for (size_t i = 0; i < FTP_MODES; i++) {
		uint8_t mode = (uint8_t)(1u << i);

		if (memory->ways.fresh & mode)
			memory->age_min[i] = 0;
		else if (memory->age_min[i] < SERVER_MEMORY_MINUTES)
			memory->age_min[i]++;
		if (memory->age_min[i] >= SERVER_MEMORY_MINUTES)
			ftp_ways_forget(&memory->ways, mode);
	}
	memory->ways.fresh = 0;
}

void server_memory_age(struct server_memories *memories)
{
	for (size_t i = 0; i < SERVERS_REMEMBERED; i++)
		if (!is_free(&memories->entries[i]))
			age_one(&memories->entries[i]);
}
