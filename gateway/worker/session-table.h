/* The sessions of a worker, in the order of their start and by number. */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_TABLE_H
#define ATTLSD_GATEWAY_WORKER_SESSION_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "gateway/base/loop.h"

/* First member of a session. */
struct session_node {
	uint64_t id; /* given by the monitor; later sessions have larger numbers */
	struct session_node *next, *prev;
	UT_hash_handle hh;
};

struct session_table {
	struct loop *loop;
	struct session_node *head;
	struct session_node *by_id;
	size_t n;
	size_t peak; /* the largest n since memory was last given back */
	struct timer trim_timer;
	void (*on_removed)(struct session_table *table); /* a session was removed */
};

void session_table_init(struct session_table *table, struct loop *loop,
			void (*on_removed)(struct session_table *table));

void session_table_add(struct session_table *table, struct session_node *node);
void session_table_remove(struct session_table *table, struct session_node *node);

/* NULL: there is none; the session may have ended. */
struct session_node *session_table_find(const struct session_table *table, uint64_t id);

/* The first session that began after session `id`, which may have ended. */
struct session_node *session_table_after(const struct session_table *table, uint64_t id);

#endif
