/* The file of server_map: what an entry is, and what is wrong with one. */
#include "policy/server-map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct policy_server servers[] = { { .text = "a:21" },
					  { .text = "[2001:db8::1]:21" },
					  { .text = "c" } };
static const struct policy_backend backend = {
	.name = "b", .server_map = "map", .servers = servers, .nservers = 3
};

static int parse(const char *text, size_t len, struct diags *diags, struct server_map **map)
{
	char *copy = (char *)bytes_copy(text, len);
	int r;

	*map = NULL;
	assert_int_equal(diags_init(diags, "policy.yaml", NULL, 0), 0);
	r = server_map_parse(copy, len, &backend, diags, map);
	free(copy);
	assert_int_equal(r, diags->nerrors > 0 ? -EINVAL : 0);
	assert_true((*map != NULL) == (r == 0));
	return r;
}

static void entries(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* of the first entry: its kind, value, server and line */
	} rows[] = {
		{ "* a:21", "* [] 0 1" },
		{ "* balance\n", "* [] balance 1" },
		{ "# map\n\n  \t\nuser u a:21\n* c\n", "user [u] 0 4" },
		{ "user u [2001:db8::1]:21\r\n* c\r\n", "user [u] 1 1" },
		{ "  user \t DOMAIN\\a b \t c  \n* c", "user [DOMAIN\\a b] 2 1" },
		{ "user # c\n* c", "user [#] 2 1" },
		{ "user * c\n* c", "user [*] 2 1" },
		{ "user balance balance\n* c", "user [balance] balance 1" },
		{ "user J\xc3\xbcrgen c\n* c", "user [J\xc3\xbcrgen] 2 1" },
		{ "host ftp.example c\n* c", "host [ftp.example] 2 1" },
		{ "host 192.0.2.1 c\n* c", "host [192.0.2.1] 2 1" },
		{ "host [2001:db8::1] c\n* c", "host [[2001:db8::1]] 2 1" },
		{ "sni ftp.example c\n* c", "sni [ftp.example] 2 1" },
		{ "certificate CN=a b,O=x, C=DE c\n* c", "certificate [CN=a b,O=x, C=DE] 2 1" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct server_map *map;
		struct diags diags;
		char was[400], server[20];

		if (parse(rows[i].text, strlen(rows[i].text), &diags, &map) < 0)
			fail_msg("%zu: %s", i, diags.items[0].message);
		(void)snprintf(server, sizeof(server), "%u", (unsigned)map->entries[0].server);
		(void)snprintf(was, sizeof(was), "%s [%s] %s %u", server_map_kind_name(map->entries[0].kind),
			       map->entries[0].value,
			       map->entries[0].server == SERVER_MAP_BALANCE ? "balance" : server,
			       (unsigned)map->entries[0].line);
		assert_string_equal(was, rows[i].want);
		assert_int_equal(map->entries[map->n - 1].kind, SERVER_MAP_OTHERS);
		server_map_free(&map);
		diags_done(&diags);
	}
}

static void faults(void **state)
{
	static const struct {
		const char *text, *why;
		unsigned line;
	} rows[] = {
		{ "", "its last line must be for all others", 0 },
		{ "# a\n", "add \"* SERVER\" or \"* balance\"", 0 },
		{ "user u c\n", "its last line must be for all others", 0 },
		{ "* c\nuser u c\n", "move it to the end", 2 },
		{ "* c\n* c\n", "move it to the end", 2 },
		{ "usr u c\n* c", "\"usr\" is none of user, host, sni", 1 },
		{ "User u c\n* c", "\"User\" is none of user, host, sni", 1 },
		{ "\nuser u\n* c", "write user VALUE SERVER", 2 },
		{ "user\n* c", "write user VALUE SERVER", 1 },
		{ "user c\n* c", "write user VALUE SERVER", 1 },
		{ "*\n", "write * SERVER", 1 },
		{ "* u c\n", "write * SERVER", 1 },
		{ "user u d\n* c", "\"d\" is not in \"addresses\" of backends \"b\"", 1 },
		{ "user u A:21\n* c", "\"A:21\" is not in", 1 },
		{ "user u a\n* c", "\"a\" is not in", 1 },
		{ "user u c\nuser v c\nuser U a:21\n* c", "user \"U\" is in line 1 already; remove one", 3 },
		{ "sni f.x c\nhost f.x c\nsni F.x c\n* c", "sni \"F.x\" is in line 1 already", 3 },
		{ "host a/b c\n* c", "cannot be a value of host", 1 },
		{ "host 2001:db8::1 c\n* c", "IPv6 in []", 1 },
		{ "sni 192.0.2.1 c\n* c", "SNI allows no addresses", 1 },
		{ "user u\x1b c\n* c", "control character", 1 },
		{ "user u\rv c\n* c", "control character", 1 },
		{ "user \xff c\n* c", "not UTF-8", 1 },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct server_map *map;
		struct diags diags;
		char line[20];

		if (parse(rows[i].text, strlen(rows[i].text), &diags, &map) == 0)
			fail_msg("%zu: it is good", i);
		(void)snprintf(line, sizeof(line), "(line %u)", rows[i].line);
		if (strstr(diags.items[0].message, rows[i].why) == NULL ||
		    (strstr(diags.items[0].message, line) != NULL) != (rows[i].line != 0) ||
		    diags.items[0].other.mark.line != rows[i].line)
			fail_msg("%zu: %s", i, diags.items[0].message);
		assert_string_equal(diags.items[0].other.file, "map");
		assert_int_equal(diags.nitems, 1);
		diags_done(&diags);
	}
}

/* n lines of `text` with a number, and the last line. */
static char *many(size_t n, const char *format, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	assert_non_null(out);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(out, "user %s%zu c\n", format, i);
	(void)fputs("* c\n", out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void limits(void **state)
{
	static char wide[256];
	const struct {
		size_t n;
		const char *prefix, *why; /* NULL: it is good */
		size_t faults;
	} rows[] = {
		{ SERVER_MAP_ENTRIES_MAX - 1, "u", NULL, 0 },
		{ SERVER_MAP_ENTRIES_MAX, "u", "more than 10000 entries", 1 },
		{ 50, "\x01", "control character", SERVER_MAP_FAULTS_MAX },
		{ 1, wide + 1, NULL, 0 },
		{ 1, wide, "it is too long", 1 },
		{ 9000, wide + 100, "more than 1 MiB", 1 },
	};

	(void)state;
	memset(wide, 'x', sizeof(wide) - 1);
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct server_map *map;
		struct diags diags;
		size_t len;
		char *text = many(rows[i].n, rows[i].prefix, &len);

		(void)parse(text, len, &diags, &map);
		assert_int_equal(diags.nerrors, rows[i].faults);
		if (rows[i].why != NULL && strstr(diags.items[0].message, rows[i].why) == NULL)
			fail_msg("%zu: %s", i, diags.items[0].message);
		server_map_free(&map);
		diags_done(&diags);
		free(text);
	}
}

static void fitting(void **state)
{
	static const struct {
		const char *value;
		size_t len;
		bool want;
	} rows[] = {
		{ "Alice", 5, true },	  { "aLICE", 5, true },	 { "Alic", 4, false },
		{ "Alice ", 6, false },	  { "", 0, false },	 { "Alice2", 6, false },
		{ "Alice\0x", 7, false }, { "Alice2", 5, true },
	};
	char value[] = "alice";
	const struct server_map_entry entry = { .value = value };

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++)
		assert_int_equal(server_map_fits(&entry, rows[i].value, rows[i].len), rows[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(faults),
		cmocka_unit_test(limits),
		cmocka_unit_test(fitting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
