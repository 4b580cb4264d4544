/*
 * The table of clients.
 *
 * A client that has not logged in can call itself what it likes, so all of these share
 * few entries of their own, by software alone. Those that have logged in have an entry for
 * each user, network and software. When no place is left, the least recently seen entry
 * goes; but a user or network with more than its share loses one of its own first, so that
 * an account whose client changes its name with each session drives out nobody else.
 */
#include "gateway/monitor/client-table.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/*
 * A partner's hosts mostly share a /24, or the /56 that a site gets (RFC 6177); an address alone changes
 * too often to be a partner.
 */
#define NETWORK_BITS_V4 24
#define NETWORK_BITS_V6 56

/* No padding that differs: keys are compared as bytes. */
struct client_key {
	uint8_t logged_in;
	uint8_t family;
	uint8_t network[16];
	char user[HABITS_NAME_MAX];
	char software[HABITS_SOFTWARE_MAX]; /* what it calls itself, else its fingerprint */
};

struct client_group {
	uint8_t key[1 + HABITS_NAME_MAX]; /* what it is, then its name */
	size_t entries;
	UT_hash_handle hh;
};

enum { GROUP_USER = 'u', GROUP_NETWORK = 'n' };

struct client_entry {
	struct client_key key;
	struct client_group *user, *network; /* NULL: it has not logged in */
	size_t place;
	uint64_t used; /* the table's clock */
	struct answer_client facts;
	UT_hash_handle hh;
};

_Static_assert(CLIENT_TABLE_MAX <= ANSWER_CLIENTS_MAX, "attlsctl takes the whole table");
_Static_assert(HABITS_JA4_MAX <= HABITS_SOFTWARE_MAX, "a fingerprint can stand for the software");

static struct ip_net network_of(const struct ip_addr *source)
{
	struct ip_net net = { .addr = *source,
			      .prefix = source->family == IP_V6 ? NETWORK_BITS_V6 : NETWORK_BITS_V4 };
	size_t bytes = net.prefix / 8;

	memset(net.addr.bytes + bytes, 0, sizeof(net.addr.bytes) - bytes);
	return net;
}

static struct client_key key_of(const struct ip_net *network, bool logged_in, const struct habits *habits)
{
	struct client_key key;

	memset(&key, 0, sizeof(key));
	if (habits->software[0] != '\0')
		memcpy(key.software, habits->software, sizeof(habits->software));
	else
		memcpy(key.software, habits->ja4, sizeof(habits->ja4));
	if (!logged_in)
		return key;
	key.logged_in = 1;
	key.family = (uint8_t)network->addr.family;
	memcpy(key.network, network->addr.bytes, sizeof(key.network));
	memcpy(key.user, habits->user, sizeof(key.user));
	return key;
}

static struct client_group *join(struct client_table *table, uint8_t kind, const void *name, size_t len)
{
	struct client_group *group;
	uint8_t key[sizeof(group->key)] = { kind };

	memcpy(key + 1, name, len);
	HASH_FIND(hh, table->groups, key, sizeof(key), group);
	if (group == NULL) {
		group = calloc(1, sizeof(*group));
		if (group == NULL)
			return NULL;
		memcpy(group->key, key, sizeof(key));
		HASH_ADD(hh, table->groups, key, sizeof(group->key), group);
	}
	group->entries++;
	return group;
}

static void leave(struct client_table *table, struct client_group **group)
{
	if (*group != NULL && --(*group)->entries == 0) {
		HASH_DEL(table->groups, *group);
		free(*group);
	}
	*group = NULL;
}

static void forget(struct client_table *table, struct client_entry *entry)
{
	if (entry == NULL)
		return;
	leave(table, &entry->user);
	leave(table, &entry->network);
	HASH_DELETE(hh, table->by_key, entry);
	table->entries[entry->place] = NULL;
	free(entry);
}

/* By how much its user or its network has more than its share. */
static size_t excess(const struct client_entry *entry)
{
	size_t most = 0;

	if (entry->user != NULL)
		most = entry->user->entries > entry->network->entries ? entry->user->entries
								      : entry->network->entries;
	return most > CLIENT_TABLE_SHARE ? most : 0;
}

/* Should `a` go rather than `b`? */
static bool goes_first(const struct client_entry *a, const struct client_entry *b)
{
	size_t of_a = excess(a), of_b = excess(b);

	return of_a != of_b ? of_a > of_b : a->used < b->used;
}

/* A place for a new entry, if need be that of another one, which is forgotten. */
static size_t make_room(struct client_table *table, bool logged_in)
{
	size_t place = logged_in ? 0 : CLIENT_TABLE_NAMED;
	size_t end = logged_in ? CLIENT_TABLE_NAMED : CLIENT_TABLE_MAX;
	struct client_entry *victim = table->entries[place];

	for (; place < end && table->entries[place] != NULL; place++)
		if (goes_first(table->entries[place], victim))
			victim = table->entries[place];
	if (place == end) {
		place = victim->place;
		forget(table, victim);
	}
	return place;
}

static struct client_entry *make_entry(struct client_table *table, const struct client_key *key,
				       const struct ip_net *network)
{
	struct client_entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL)
		return NULL;
	entry->key = *key;
	if (key->logged_in) {
		entry->user = join(table, GROUP_USER, key->user, sizeof(key->user));
		entry->network = join(table, GROUP_NETWORK, &key->family, 1 + sizeof(key->network));
		entry->facts.network = *network;
		memcpy(entry->facts.user, key->user, sizeof(key->user));
	}
	if (key->logged_in && (entry->user == NULL || entry->network == NULL)) {
		leave(table, &entry->user);
		leave(table, &entry->network);
		free(entry);
		return NULL;
	}
	entry->place = make_room(table, key->logged_in);
	table->entries[entry->place] = entry;
	HASH_ADD(hh, table->by_key, key, sizeof(entry->key), entry);
	entry->facts.logged_in = key->logged_in;
	return entry;
}

/* Keep the newest text that is known. */
static void renew(char *text, const char *newest, size_t size)
{
	if (newest[0] != '\0')
		memcpy(text, newest, size);
}

/* What policy would have refused. */
static void count_would(struct answer_client *facts, const struct habits *habits,
			const struct ip_addr *source, uint64_t now_s)
{
	for (unsigned i = 0; i < HABIT_WOULD_COUNT; i++) {
		if ((habits->seen >> (HABIT_WOULD_FIRST + i) & 1) == 0)
			continue;
		if (facts->would[i].first_s == 0)
			facts->would[i].first_s = now_s;
		facts->would[i].line = habits->would_line[i];
		facts->address = *source;
		renew(facts->rule, habits->rule, sizeof(facts->rule));
	}
}

static void count(struct answer_client *facts, const struct habits *habits, uint64_t now_s)
{
	if (facts->sessions == 0)
		facts->first_s = now_s;
	facts->last_s = now_s;
	facts->sessions++;
	facts->data_tls += habits->data_tls;
	facts->data_resumed += habits->data_resumed;
	renew(facts->software, habits->software, sizeof(facts->software));
	renew(facts->ja4, habits->ja4, sizeof(facts->ja4));
	renew(facts->subject, habits->subject, sizeof(facts->subject));
	renew(facts->group, habits->group, sizeof(facts->group));
	for (enum habit habit = 0; habit < HABIT_COUNT; habit++) {
		if ((habits->seen >> habit & 1) == 0)
			continue;
		facts->habits[habit].sessions++;
		facts->habits[habit].last_s = now_s;
	}
}

void client_table_add(struct client_table *table, const struct ip_addr *source, bool logged_in,
		      const struct habits *habits, uint64_t now_s)
{
	struct ip_net network = { .addr.family = IP_NONE };
	struct client_entry *entry;
	struct client_key key;

	if (source == NULL || (!logged_in && habits->seen == 0))
		return;
	network = network_of(source);
	key = key_of(&network, logged_in, habits);
	HASH_FIND(hh, table->by_key, &key, sizeof(key), entry);
	if (entry == NULL)
		entry = make_entry(table, &key, &network);
	if (entry == NULL)
		return;
	entry->used = ++table->clock;
	count(&entry->facts, habits, now_s);
	count_would(&entry->facts, habits, source, now_s);
}

bool client_table_get(const struct client_table *table, size_t place, struct answer_client *ret)
{
	if (table->entries[place] == NULL)
		return false;
	*ret = table->entries[place]->facts;
	return true;
}

void client_table_done(struct client_table *table)
{
	for (size_t i = 0; i < CLIENT_TABLE_MAX; i++)
		forget(table, table->entries[i]);
}
