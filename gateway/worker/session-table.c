/*
 * The list and the hash of a worker's sessions. It also gives memory back to the
 * system: the memory of ended sessions is free, but lies between that of others, and
 * the C library keeps it. When half of the sessions have gone, it is returned a
 * little later, so that many ends at once cost one search.
 */
#include "gateway/worker/session-table.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <utlist.h>

#include "gateway/base/util.h"

#define PEAK_MIN      8
#define TRIM_AFTER_MS 5000 /* the lingering connections are closed by then */

static void on_trim_timer(struct timer *timer)
{
	struct session_table *table = CONTAINER_OF(timer, struct session_table, trim_timer);

	table->peak = table->n;
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

void session_table_init(struct session_table *table, struct loop *loop,
			void (*on_removed)(struct session_table *table))
{
	*table = (struct session_table){ .loop = loop, .on_removed = on_removed };
	timer_init(&table->trim_timer, on_trim_timer);
}

void session_table_add(struct session_table *table, struct session_node *node)
{
	DL_APPEND(table->head, node);
	HASH_ADD(hh, table->by_id, id, sizeof(node->id), node);
	table->n++;
	if (table->n > table->peak)
		table->peak = table->n;
}

void session_table_remove(struct session_table *table, struct session_node *node)
{
	DL_DELETE(table->head, node);
	HASH_DEL(table->by_id, node);
	table->n--;
	if (table->peak >= PEAK_MIN && table->n <= table->peak / 2 && !timer_is_armed(&table->trim_timer))
		/* if it fails, the memory stays */
		(void)loop_timer(table->loop, &table->trim_timer, TRIM_AFTER_MS);
	table->on_removed(table);
}

struct session_node *session_table_find(const struct session_table *table, uint64_t id)
{
	struct session_node *node;

	HASH_FIND(hh, table->by_id, &id, sizeof(id), node);
	return node;
}

struct session_node *session_table_after(const struct session_table *table, uint64_t id)
{
	struct session_node *node = session_table_find(table, id);

	if (node != NULL)
		return node->next;
	DL_FOREACH (table->head, node)
		if (node->id > id)
			return node;
	return NULL;
}
