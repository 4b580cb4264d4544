/*
 * YAML that a policy must not use: each text is refused with its message and
 * position, before any key is checked.
 */
#include "policy/node.h"

#include "tests/unit/policy-text.h"

/* Valid YAML that a policy must not use, and invalid YAML. Found before any key is checked. */
static const struct message_case refused[] = {
	{ "an alias", "daemon: *x\n", "policy.yaml:1:9: aliases (*name) are not supported" },
	{ "an alias as a key", "*x : 1\n", "policy.yaml:1:1: aliases (*name) are not supported" },
	{ "the system's trust without quotes", "keyrings: { a: { trust: *AUTH*/* } }\n",
	  "quote text that starts" },
	{ "an anchor", "daemon: &x {}\n", "policy.yaml:1:9: anchors (&name) are not supported" },
	{ "an anchor of a scalar", "version: &x 1\n", "policy.yaml:1:10: anchors (&name) are not supported" },
	{ "a tag", "version: !!int 1\n", "policy.yaml:1:10: tags (!name) are not supported" },
	{ "a tag of a list", "rules: !x []\n", "policy.yaml:1:8: tags (!name) are not supported" },
	{ "a duplicate key", "version: 1\nnat: {}\nversion: 1\n",
	  "policy.yaml:3:1: duplicate key \"version\"; the first one is on line 1" },
	{ "a duplicate name", "backends:\n  a: { address: a:1 }\n  a: { address: b:1 }\n",
	  "policy.yaml:3:3: duplicate key \"a\"; the first one is on line 2" },
	{ "a list as a key", "? [a]\n: b\n", "policy.yaml:1:3: a key must be one word" },
	{ "a second document", "version: 1\n---\nversion: 1\n",
	  "policy.yaml:2:1: a policy must be a single YAML document" },
	{ "a tab", "daemon:\n\tuser: x\n", "policy.yaml:2:1: no value can start with this character" },
	{ "a colon too many", "version: 1: 2\n", "policy.yaml:1:11: a second \": \" on one line" },
	{ "a space too few", "version: 1\ndaemon:\n  user: x\n  workers:1\nnat: {}\n",
	  "policy.yaml:4:3: this is not a key with a value: a key must be followed by a colon and a space" },
	{ "a space too few above", "daemon:\n  workers:1\n  user: x\n",
	  "policy.yaml:3:7: a second \": \" on one line, wrong indentation, "
	  "or no space after the colon on the line above" },
	{ "an open list", "rules: [ a\n", "this is not YAML: did not find expected ',' or ']'" },
	{ "a line break in a value", "daemon: { user: \"a\\nb\" }\n",
	  "policy.yaml:1:17: a value must be a single line" },
	{ "a NUL in a value", "daemon: { user: \"a\\0b\" }\n",
	  "policy.yaml:1:17: a value must be a single line" },
	{ "a text block", "daemon:\n  user: |\n    a\n    b\n",
	  "policy.yaml:2:9: a value must be a single line" },
	{ "no UTF-8", "daemon: { user: \"\xff\" }\n",
	  "policy.yaml:1:18: the file must be UTF-8 text without control characters" },
	{ "a control character", "daemon:\n  user: \x01\n", "policy.yaml:2:9: the file must be UTF-8 text" },
};

static void test_refused(void **state)
{
	(void)state;
	check_messages(refused, NELEM(refused), true);
}

static void test_whole(void **state)
{
	static const struct message_case cases[] = {
		{ "nothing", "", "policy.yaml: the policy is empty" },
		{ "a comment", "# nothing\n", "policy.yaml: the policy is empty" },
		{ "a word", "hello\n", "policy.yaml:1:1: a policy must be a mapping" },
		{ "a list", "- version: 1\n", "policy.yaml:1:1: a policy must be a mapping" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct parsed p;

		parse_whole(&p, cases[i].text);
		assert_int_equal(p.diags.nerrors, 1);
		if (strstr(p.printed, cases[i].want) == NULL)
			fail_msg("%s: got %s", cases[i].name, p.printed);
		parsed_done(&p);
	}
}

/* A policy above the limits is refused, and quickly. */
static void test_limits(void **state)
{
	static const struct {
		const char *name;
		char byte;
		size_t count;
		const char *want;
	} cases[] = {
		{ "1 MiB and a byte", '#', NODE_TEXT_MAX + 1, "larger than 1 MiB" },
		{ "deep lists", '[', NODE_TEXT_MAX, "nested too deeply" },
		{ "deep mappings", '{', NODE_TEXT_MAX, "must be one word" },
	};
	struct parsed p;
	char *text;
	char *wide = malloc(4 * NODE_COUNT_MAX);

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		text = bytes_repeat((uint8_t)cases[i].byte, cases[i].count, "", 0);
		parse_folder(&p, text, cases[i].count, "");
		if (p.diags.nerrors != 1 || strstr(p.printed, cases[i].want) == NULL)
			fail_msg("%s: got %s", cases[i].name, p.printed);
		parsed_done(&p);
		free(text);
	}
	assert_non_null(wide);
	for (size_t i = 0; i < NODE_COUNT_MAX; i++)
		memcpy(wide + 4 * i, "- a\n", 4);
	parse_folder(&p, wide, 4 * NODE_COUNT_MAX, "");
	assert_non_null(strstr(p.printed, "policy.yaml:10000:3: the policy has too many values"));
	parsed_done(&p);
	free(wide);
}

static const struct node *parse(const char *text, struct arena *arena)
{
	struct diags diags;
	const struct node *root;

	assert_int_equal(diags_init(&diags, "f", text, strlen(text)), 0);
	root = node_parse(text, strlen(text), arena, &diags);
	assert_int_equal(diags.nerrors, 0);
	diags_done(&diags);
	return root;
}

static void test_tree(void **state)
{
	struct arena arena = { 0 };
	const struct node *root = parse("\xef\xbb\xbf"
					"a: [x, \"\"]\n\xc3\xa9: y\nb:\n",
					&arena);
	const struct node *a = node_member(root, "a");
	const struct node *b = node_member(root, "b");
	const struct node *e = node_member(root, "\xc3\xa9");

	(void)state;
	assert_int_equal(root->count, 3);
	assert_int_equal(a->key->mark.column, 1);
	assert_int_equal(a->mark.column, 4);
	assert_int_equal(node_list_count(a), 2);
	assert_string_equal(node_list_first(a)->text, "x");
	assert_false(node_is_empty(node_list_next(a, node_list_first(a))));
	assert_int_equal(e->mark.line, 2);
	assert_int_equal(e->mark.column, 4);
	assert_ptr_equal(node_list_first(e), e);
	assert_null(node_list_next(e, e));
	assert_int_equal(node_list_count(e), 1);
	assert_true(node_is_empty(b));
	assert_null(node_member(root, "c"));
	assert_null(node_member(b, "c"));
	arena_done(&arena);
}

/* A fault covers the key or the value that it is about, and names what it is. */
static void test_places(void **state)
{
	static const struct {
		const char *text;
		enum diag_code code;
		uint32_t line, column, end_line, end_column; /* of the first fault */
		uint32_t other;				     /* the line of the second place, 0: none */
		const char *fix;
	} cases[] = {
		{ "daemon: { wrokers: 1 }\n", DIAG_UNKNOWN_KEY, 1, 11, 1, 18, 0, "workers" },
		{ "daemon: { \"wrokers\" : 1 }\n", DIAG_UNKNOWN_KEY, 1, 11, 1, 20, 0, "workers" },
		{ "daemon: { user: x, nosuchthing: 1 }\n", DIAG_UNKNOWN_KEY, 1, 20, 1, 31, 0, NULL },
		{ "version: 2\n", DIAG_BAD_NUMBER, 1, 10, 1, 11, 0, NULL },
		{ "daemon: { workers: [ 1,\n 2 ] }\n", DIAG_NOT_A_VALUE, 1, 20, 2, 5, 0, NULL },
		{ "daemon:\n  workers:\n    - 1\n", DIAG_NOT_A_VALUE, 3, 5, 0, 0, 0, NULL },
		{ "daemon: { workers: \"a  b\"   }\n", DIAG_BAD_NUMBER, 1, 20, 1, 26, 0, NULL },
		{ "version: 1\nnat: {}\nversion: 1\n", DIAG_DUPLICATE_KEY, 3, 1, 3, 8, 1, NULL },
		{ "ftp_actions: { standard: { secure_ftp: alowed } }\n", DIAG_BAD_WORD, 1, 40, 1, 46, 0,
		  "allowed" },
		{ "version: *x\n", DIAG_YAML_ALIAS, 1, 10, 1, 12, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct parsed p;
		const struct diag *got;

		parse_part(&p, cases[i].text);
		assert_true(p.diags.nitems > 0);
		got = &p.diags.items[0];
		if (got->code != cases[i].code || got->mark.line != cases[i].line ||
		    got->mark.column != cases[i].column || got->mark.end_line != cases[i].end_line ||
		    got->mark.end_column != cases[i].end_column || got->other.mark.line != cases[i].other ||
		    (got->fix == NULL) != (cases[i].fix == NULL) ||
		    (got->fix != NULL && strcmp(got->fix, cases[i].fix) != 0))
			fail_msg("%s: got %s, %u:%u-%u:%u, other %u, fix %s", cases[i].text,
				 diag_code_name(got->code), got->mark.line, got->mark.column,
				 got->mark.end_line, got->mark.end_column, got->other.mark.line, got->fix);
		parsed_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places), cmocka_unit_test(test_refused), cmocka_unit_test(test_whole),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
