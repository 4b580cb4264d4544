/* Which servers attlsctl doctor knows: greetings as the servers of the tests sent them. */
#include "gateway/ctl/known-servers.h"

#include "tests/unit/unit.h"

static const struct {
	const char *greeting;
	const char *syst;
	const char *name; /* NULL: unknown */
} rows[] = {
	{ "220 (vsFTPd 3.0.3)", "", "vsftpd" },
	{ "220 ProFTPD Server (legacy) [127.0.0.1]", "", "ProFTPD" },
	{ "220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------", "", "Pure-FTPd" },
	{ "220 pyftpdlib 1.5.7 ready.", "", "pyftpdlib" },
	{ "220 host FTP server (GNU inetutils 2.4) ready.", "", "inetutils-ftpd" },
	{ "220 Twisted 22.4.0 FTP Server", "", "Twisted" },
	{ "220 welcome", "", "aioftp" },
	{ "220 Ready", "", "ftp-srv" },
	{ "220 server ready", "215 UNIX Type: L8", NULL },
	{ "", "", NULL },
};

static void servers_are_known_by_what_they_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		const struct known_server *known = known_server_find(rows[i].greeting, rows[i].syst);

		if (rows[i].name == NULL) {
			assert_null(known);
			continue;
		}
		assert_non_null(known);
		assert_string_equal(known->name, rows[i].name);
		assert_true(strlen(known->seen) > 0);
		assert_in_range(known->line_max, 509, 4096);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(servers_are_known_by_what_they_say) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
