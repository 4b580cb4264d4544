/* The table of clients: what it counts, and who gives way when it is full. */
#include "gateway/monitor/client-table.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define BASE_S UINT64_C(1000000)

static struct ip_addr v4(unsigned network, unsigned host)
{
	return ip_addr_make(
	    IP_V4, (const uint8_t[]){ 10, (uint8_t)(network >> 8), (uint8_t)network, (uint8_t)host });
}

static void session(struct client_table *table, const struct ip_addr *source, const char *user,
		    const char *software, uint64_t seen, uint64_t at_s)
{
	struct habits habits = { .seen = seen, .data_tls = 3, .data_resumed = 2 };

	if (user != NULL)
		habits_copy(habits.user, sizeof(habits.user), user, strlen(user));
	habits_copy(habits.software, sizeof(habits.software), software, strlen(software));
	client_table_add(table, source, user != NULL, &habits, BASE_S + at_s);
}

static size_t count(const struct client_table *table)
{
	struct answer_client client;
	size_t n = 0;

	for (size_t i = 0; i < CLIENT_TABLE_MAX; i++)
		n += client_table_get(table, i, &client);
	return n;
}

static bool find(const struct client_table *table, const char *user, const char *software,
		 struct answer_client *ret)
{
	for (size_t i = 0; i < CLIENT_TABLE_MAX; i++)
		if (client_table_get(table, i, ret) && strcmp(ret->user, user) == 0 &&
		    strcmp(ret->software, software) == 0)
			return true;
	return false;
}

static void sessions_add_up(void **state)
{
	const struct ip_addr one = v4(1, 7), two = v4(1, 200), other = v4(2, 7);
	struct client_table table = { .clock = 0 };
	struct answer_client client;

	(void)state;
	session(&table, &one, "anna", "lftp", HABIT_BIT(PROT_P) | HABIT_BIT(EPSV), 1);
	session(&table, &two, "anna", "lftp", HABIT_BIT(PROT_P), 5);
	session(&table, &other, "bert", "lftp", HABIT_BIT(PROT_C), 6);
	assert_int_equal(count(&table), 2);
	assert_true(find(&table, "anna", "lftp", &client));
	assert_int_equal(client.sessions, 2);
	assert_int_equal(client.first_s, BASE_S + 1);
	assert_int_equal(client.last_s, BASE_S + 5);
	assert_int_equal(client.data_tls, 6);
	assert_int_equal(client.data_resumed, 4);
	assert_int_equal(client.habits[HABIT_PROT_P].sessions, 2);
	assert_int_equal(client.habits[HABIT_EPSV].sessions, 1);
	assert_int_equal(client.habits[HABIT_EPSV].last_s, BASE_S + 1);
	assert_int_equal(client.habits[HABIT_PROT_C].sessions, 0);
	assert_int_equal(client.network.prefix, 24);
	client_table_done(&table);
	assert_int_equal(count(&table), 0);
}

/* The same user with other software, or from another network, is another client. IPv6 sites have a /56. */
static void clients_are_told_apart(void **state)
{
	struct client_table table = { .clock = 0 };
	struct ip_addr source = v4(1, 7), v6;

	(void)state;
	session(&table, &source, "anna", "lftp", 0, 1);
	session(&table, &source, "anna", "curl", 0, 1);
	source = v4(2, 7);
	session(&table, &source, "anna", "lftp", 0, 1);
	assert_int_equal(count(&table), 3);
	for (uint8_t last = 0; last < 3; last++) {
		v6 = ip_addr_make(IP_V6,
				  (const uint8_t[16]){ 0x20, 1, 0xd, 0xb8, 0, 0, (uint8_t)(last / 2), last });
		session(&table, &v6, "anna", "lftp", 0, 1);
	}
	assert_int_equal(count(&table), 5);
	client_table_done(&table);
}

/* Nobody knows who they are: software alone tells them apart, and a flood of names only replaces others like
 * it. */
static void clients_that_do_not_log_in_share_few_entries(void **state)
{
	struct ip_addr source = v4(1, 7);
	struct client_table table = { .clock = 0 };
	struct answer_client client;
	char name[16];

	(void)state;
	session(&table, &source, "anna", "lftp", 0, 1);
	session(&table, &source, NULL, "scanner", 0, 1); /* has shown nothing */
	session(&table, NULL, "nobody", "x", 1, 1);	 /* never named by its proxy */
	assert_int_equal(count(&table), 1);
	for (unsigned i = 0; i < 3000; i++) {
		source = v4(i, 1);
		(void)snprintf(name, sizeof(name), "scan%u", i);
		session(&table, &source, NULL, name, HABIT_BIT(SNI), 2);
	}
	assert_int_equal(count(&table), 1 + CLIENT_TABLE_OTHERS);
	assert_true(find(&table, "anna", "lftp", &client));
	assert_true(find(&table, "", "scan2999", &client));
	assert_false(client.logged_in);
	assert_int_equal(client.network.addr.family, IP_NONE);
	assert_false(find(&table, "", "scan2", &client));
	client_table_done(&table);
}

static void fill(struct client_table *table)
{
	char name[16];

	for (unsigned i = 0; i < CLIENT_TABLE_NAMED; i++) {
		struct ip_addr source = v4(i, 1);

		(void)snprintf(name, sizeof(name), "user%u", i);
		session(table, &source, name, "lftp", 0, i);
	}
	assert_int_equal(count(table), CLIENT_TABLE_NAMED);
}

static void the_least_recently_seen_goes_first(void **state)
{
	struct client_table table = { .clock = 0 };
	struct ip_addr source = v4(0, 1);
	struct answer_client client;

	(void)state;
	fill(&table);
	session(&table, &source, "user0", "lftp", 0, 9000); /* seen again */
	source = v4(5000, 1);
	session(&table, &source, "new", "lftp", 0, 9001);
	assert_int_equal(count(&table), CLIENT_TABLE_NAMED);
	assert_true(find(&table, "user0", "lftp", &client));
	assert_false(find(&table, "user1", "lftp", &client));
	assert_true(find(&table, "new", "lftp", &client));
	client_table_done(&table);
}

/* An account whose client has a new name in each session, or a network where each session has a new user. */
static void a_flood_drives_out_only_itself(void **state)
{
	struct answer_client client;
	char name[16];

	(void)state;
	for (int of_users = 0; of_users < 2; of_users++) {
		struct client_table table = { .clock = 0 };
		size_t left = 0;

		fill(&table);
		for (unsigned i = 0; i < 5000; i++) {
			struct ip_addr source = v4(of_users ? 6000 : 6000 + i, 1);

			(void)snprintf(name, sizeof(name), "x%u", i);
			session(&table, &source, of_users ? name : "mallory", of_users ? "lftp" : name, 0,
				9000 + i);
		}
		for (unsigned i = 0; i < CLIENT_TABLE_NAMED; i++) {
			(void)snprintf(name, sizeof(name), "user%u", i);
			left += find(&table, name, "lftp", &client);
		}
		assert_int_equal(count(&table), CLIENT_TABLE_NAMED);
		assert_true(left >= CLIENT_TABLE_NAMED - CLIENT_TABLE_SHARE - 1);
		client_table_done(&table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_add_up),
		cmocka_unit_test(clients_are_told_apart),
		cmocka_unit_test(clients_that_do_not_log_in_share_few_entries),
		cmocka_unit_test(the_least_recently_seen_goes_first),
		cmocka_unit_test(a_flood_drives_out_only_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
