/*
 * The memory of servers: it is shared by sessions, ages, and keeps its bound.
 */
#include "gateway/worker/server-memory.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static struct ip_endpoint server(unsigned n)
{
	const uint8_t bytes[4] = { 10, 0, (uint8_t)(n >> 8), (uint8_t)n };

	return (struct ip_endpoint){ .addr = ip_addr_make(IP_V4, bytes), .port = 21 };
}

static struct ftp_ways *enter(struct server_memories *memories, uint32_t backend, unsigned n)
{
	struct ip_endpoint endpoint = server(n);

	return server_memory_enter(memories, backend, &endpoint);
}

static void minutes(struct server_memories *memories, unsigned n)
{
	while (n-- > 0)
		server_memory_age(memories);
}

static void sessions_share(void **state)
{
	struct server_memories *memories = calloc(1, sizeof(*memories));
	struct ftp_ways *one = enter(memories, 0, 1);

	(void)state;
	assert_ptr_equal(enter(memories, 0, 1), one);
	assert_ptr_not_equal(enter(memories, 0, 2), one);
	assert_ptr_not_equal(enter(memories, 1, 1), one);
	server_memory_leave(one);
	server_memory_leave(one);
	ftp_ways_refused(one, FTP_MODE_EPSV);
	assert_int_equal(enter(memories, 0, 1)->refused, FTP_MODE_EPSV);
	free(memories);
}

static void facts_age(void **state)
{
	struct server_memories *memories = calloc(1, sizeof(*memories));
	struct ftp_ways *ways = enter(memories, 0, 1);

	(void)state;
	ftp_ways_refused(ways, FTP_MODE_EPSV);
	ftp_ways_worked(ways, FTP_MODE_PASV);
	minutes(memories, SERVER_MEMORY_MINUTES);
	assert_int_equal(ways->refused, FTP_MODE_EPSV);
	ftp_ways_worked(ways, FTP_MODE_PASV); /* seen again */
	minutes(memories, 1);
	assert_int_equal(ways->refused, 0);
	assert_int_equal(ways->worked, FTP_MODE_PASV);
	minutes(memories, SERVER_MEMORY_MINUTES);
	assert_int_equal(ways->worked, 0);
	free(memories);
}

/* What an operator reads is at most a minute off. */
static void age_is_told_in_minutes(void **state)
{
	struct server_memories *memories = calloc(1, sizeof(*memories));
	struct ftp_ways *ways = enter(memories, 0, 1);
	const struct server_memory *memory = &memories->entries[0];

	(void)state;
	ftp_ways_refused(ways, FTP_MODE_EPSV);
	ftp_ways_worked(ways, FTP_MODE_PORT);
	assert_int_equal(server_memory_minutes(memory, FTP_MODE_EPSV), 0);
	for (unsigned n = 1; n <= SERVER_MEMORY_MINUTES; n++) {
		minutes(memories, 1);
		assert_int_equal(server_memory_minutes(memory, FTP_MODE_EPSV), n);
		assert_int_equal(server_memory_minutes(memory, FTP_MODE_PORT), 1);
		ftp_ways_worked(ways, FTP_MODE_PORT); /* seen again */
		assert_int_equal(server_memory_minutes(memory, FTP_MODE_PORT), 0);
	}
	minutes(memories, 1);
	assert_int_equal(ways->refused, 0);
	free(memories);
}

static void places_end(void **state)
{
	struct server_memories *memories = calloc(1, sizeof(*memories));
	struct ftp_ways *first = enter(memories, 0, 0);
	struct ftp_ways *second = enter(memories, 0, 1);

	(void)state;
	for (unsigned n = 2; n < SERVERS_REMEMBERED; n++)
		assert_non_null(enter(memories, 0, n));
	assert_null(enter(memories, 0, 1000));
	server_memory_leave(NULL);
	ftp_ways_worked(first, FTP_MODE_EPSV);
	server_memory_leave(second);
	minutes(memories, 1);
	server_memory_leave(first);
	assert_ptr_equal(enter(memories, 0, 1000), second); /* it was left before */
	assert_ptr_equal(enter(memories, 0, 1001), first);
	assert_int_equal(first->worked, 0);
	assert_null(enter(memories, 0, 1002));
	free(memories);
}

/* One way is in one set, and the best ways to try are those that are not known to fail. */
static void ways_are_ranked(void **state)
{
	struct ftp_ways ways = { .worked = 0 };

	(void)state;
	assert_int_equal(ftp_ways_best(&ways, FTP_MODE_ALL), FTP_MODE_ALL);
	ftp_ways_failed(&ways, FTP_MODE_EPSV);
	assert_int_equal(ftp_ways_best(&ways, FTP_MODE_ALL), FTP_MODE_ALL - FTP_MODE_EPSV);
	assert_int_equal(ftp_ways_best(&ways, FTP_MODE_EPSV), FTP_MODE_EPSV);
	ftp_ways_refused(&ways, FTP_MODE_EPSV);
	assert_int_equal(ways.failed, 0);
	assert_int_equal(ftp_ways_best(&ways, FTP_MODE_ALL), FTP_MODE_ALL - FTP_MODE_EPSV);
}

/* Some servers refuse one user what they allow another one: no user can take a way from the others. */
static void one_session_spoils_no_other(void **state)
{
	struct ftp_ways ways = { .worked = 0 };

	(void)state;
	ftp_ways_worked(&ways, FTP_MODE_PASV);
	for (int i = 0; i < 3; i++)
		ftp_ways_refused(&ways, FTP_MODE_PASV);
	assert_int_equal(ways.worked, FTP_MODE_PASV);
	ftp_ways_refused(&ways, FTP_MODE_EPSV);
	assert_int_equal(ftp_ways_best(&ways, FTP_MODE_EPSV | FTP_MODE_PASV), FTP_MODE_PASV);
	assert_int_equal(ftp_ways_best(&ways, FTP_MODE_EPSV), FTP_MODE_EPSV); /* rather than none */
	ftp_ways_failed(&ways, FTP_MODE_PASV);
	assert_int_equal(ftp_ways_best(&ways, FTP_MODE_EPSV | FTP_MODE_PASV), FTP_MODE_EPSV | FTP_MODE_PASV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_share),	  cmocka_unit_test(facts_age),
		cmocka_unit_test(age_is_told_in_minutes), cmocka_unit_test(places_end),
		cmocka_unit_test(ways_are_ranked),	  cmocka_unit_test(one_session_spoils_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
