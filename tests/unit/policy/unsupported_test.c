/*
 * Features that the policy language has and the gateway lacks: a use of each is
 * refused, and the example policy uses none.
 */
#include "policy/unsupported.h"

#include "tests/unit/policy-text.h"

#define FTP(text)     "ftp_actions:\n  standard:\n    " text "\n"
#define BACKEND(text) "backends:\n  legacy:\n    " text "\n"
#define LISTENER      "listeners:\n  explicit:\n    "

/* For each key of the table: a use of it, and one that equals its absence. */
static const struct use {
	const char *key;
	const char *place; /* of the key in `used` */
	const char *used;
	const char *same;
} uses[] = {
	{ "handshake_role", "3:5", "tls_actions:\n  server:\n    handshake_role: client\n",
	  "tls_actions: { server: { keyring: ftpd, handshake_role: server_with_client_auth, "
	  "client_auth_type: passthru } }\n" },
	{ "secure_login", "3:5", FTP("secure_login: verify_user"), FTP("secure_login: no_client_auth") },
	{ "secure_password", "3:5", FTP("secure_password: optional"), FTP("secure_password: required") },
	{ "replysecuritylevel", "3:5", FTP("replysecuritylevel: 1"), FTP("replysecuritylevel: 0") },
	{ "accesserrormsgs", "3:5", FTP("accesserrormsgs: true"), FTP("accesserrormsgs: false") },
	{ "dswaittime", "3:5", FTP("dswaittime: 1"), FTP("dswaittime: 0") },
	{ "address", "3:5", BACKEND("address: original"), BACKEND("address: original.example:21") },
	{ "source", "3:5", BACKEND("source: client\n    address: a:1"),
	  BACKEND("source: gateway\n    address: a:1") },
	{ "transparent", "3:5", LISTENER "transparent: true\n    address: 127.0.0.1:1\n",
	  LISTENER "transparent: false\n    address: 127.0.0.1:1\n" },
	{ "conntrack", "2:3", "nat:\n  conntrack: expect\n", "nat: { conntrack: off }\n" },
	{ "users", "1:1", "users: { U: { certificates: [ { subject: CN=u } ] } }\n", "users: {}\n" },
};

static const struct use *use_of(const char *key)
{
	for (size_t i = 0; i < NELEM(uses); i++)
		if (strcmp(uses[i].key, key) == 0)
			return &uses[i];
	return NULL;
}

/* A use of each row is refused at its line, with its fix, and nothing else is. */
static void test_every_row(void **state)
{
	const struct unsupported *row;

	(void)state;
	for (size_t i = 0; (row = unsupported_at(i)) != NULL; i++) {
		char want[128];
		const struct use *use = use_of(row->key);
		struct parsed p;

		if (use == NULL)
			fail_msg("%s: no use of it in this test", row->key);
		parse_part(&p, use->used);
		(void)snprintf(want, sizeof(want), ":%s: \"%s\" is not supported yet; %s\n", use->place,
			       row->key, row->fix);
		if (p.result == 0 || strstr(p.printed, want) == NULL)
			fail_msg("%s: wanted %s in:\n%s", row->key, want, p.printed);
		parsed_done(&p);
		parse_part(&p, use->same);
		if (p.result < 0)
			fail_msg("%s: %s", row->key, p.printed);
		parsed_done(&p);
	}
}

/* The example shows the whole language and can be used as it is. */
static void test_example(void **state)
{
	static char text[64 * 1024];
	FILE *file = fopen("contrib/policy.example.yaml", "r");
	struct parsed p;
	size_t len;

	(void)state;
	if (file == NULL)
		fail_msg("contrib/policy.example.yaml: run this from the top of the tree");
	len = fread(text, 1, sizeof(text), file);
	assert_int_equal(fclose(file), 0);
	parse_folder(&p, text, len, "");
	if (p.result < 0 || p.diags.nitems > 0)
		fail_msg("%s", p.printed);
	parsed_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
