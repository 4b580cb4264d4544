/*
 * What sessions have shown of their clients, by user, network and software: for `attlsctl
 * report clients`. It outlives workers and generations, and ends with attlsd.
 *
 * Its memory is bounded, and no source may drive out the others: see client-table.c.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_CLIENT_TABLE_H
#define ATTLSD_GATEWAY_MONITOR_CLIENT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/habits.h"
#include "policy/ip.h"

/* Entries of clients that have logged in, and of those that have not. */
#define CLIENT_TABLE_NAMED  1024
#define CLIENT_TABLE_OTHERS 64
#define CLIENT_TABLE_MAX    (CLIENT_TABLE_NAMED + CLIENT_TABLE_OTHERS)
/* A user or a network with more entries than this is the first to lose some when the table is full. */
#define CLIENT_TABLE_SHARE 8

struct client_entry;
struct client_group;

/* All zero: empty. */
struct client_table {
	struct client_entry *by_key;
	struct client_group *groups; /* users and networks, with their numbers of entries */
	struct client_entry *entries[CLIENT_TABLE_MAX]; /* first those that have logged in; NULL: unused */
	uint64_t clock;					/* counts sessions */
};

/*
 * A session has ended. source: its client; NULL: not known. now_s: seconds since 1970. A session that
 * shows nothing is not counted, nor is one for which there is no memory.
 */
void client_table_add(struct client_table *table, const struct ip_addr *source, bool logged_in,
		      const struct habits *habits, uint64_t now_s);

/* The entry at this place, below CLIENT_TABLE_MAX. False: there is none. */
bool client_table_get(const struct client_table *table, size_t place, struct answer_client *ret);

void client_table_done(struct client_table *table);

#endif
