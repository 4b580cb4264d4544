/* Password files of users: which are refused, and which only warned of. */
#include "gateway/tls/users.h"

#include <errno.h>

#include "tests/unit/policy-text.h"
#include "tests/unit/temporary.h"

static void password_files(void **state)
{
	static const struct {
		const char *name, *text;
		mode_t mode;
		int want;
		const char *message; /* NULL: none */
	} rows[] = {
		{ "of its owner", "hunter7\n", 0600, 0, NULL },
		{ "to read only", "hunter7", 0400, 0, NULL },
		{ "the group reads", "hunter7\n", 0640, 0,
		  "its mode 640 gives other users access; chmod 600" },
		{ "others write", "hunter7\n", 0602, 0, "its mode 602 gives other users access; chmod 600" },
		{ "empty", "", 0600, -EINVAL, "its first line must be a password of 1 to 128 characters" },
		{ "blank, and open", "\nhunter7\n", 0644, -EINVAL, "its first line must be a password" },
	};
	char path[TEMPORARY_PATH];

	(void)state;
	(void)temporary_path(path, "password");
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct users *users = NULL;
		struct parsed p;
		char text[TEMPORARY_PATH + 100];

		temporary_write(path, rows[i].text, rows[i].mode);
		(void)snprintf(text, sizeof(text),
			       "users: { U: { certificates: [ { subject: CN=u } ], password_file: %s } }\n",
			       path);
		parse_part(&p, text);
		assert_non_null(p.policy);
		diags_done(&p.diags);
		assert_int_equal(diags_init(&p.diags, "policy", NULL, 0), 0);
		if (users_load(p.policy, &p.diags, &users) != rows[i].want ||
		    p.diags.nitems != (rows[i].message != NULL))
			fail_msg("%s", rows[i].name);
		if (rows[i].message != NULL) {
			assert_non_null(strstr(p.diags.items[0].message, rows[i].message));
			assert_non_null(strstr(p.diags.items[0].message, path));
			assert_null(strstr(p.diags.items[0].message, "hunter7"));
			assert_true(p.diags.items[0].mark.line > 0);
			assert_int_equal(p.diags.items[0].level,
					 rows[i].want == 0 ? DIAG_WARNING : DIAG_ERROR);
		}
		users_free(&users);
		parsed_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(password_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
