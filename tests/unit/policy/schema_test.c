/*
 * The tables of the policy language: properties that the walker relies on, and that
 * attlsd.yaml(5) documents each key, word and default.
 */
#include "policy/schema.h"

#include <ctype.h>
#include <stdio.h>

#include "tests/unit/unit.h"

/* The walker relies on these properties of each row. */
static void check_table(const struct schema *schema)
{
	for (const struct field *f = schema->fields; f->key != NULL; f++) {
		bool has_flag = f->type == FIELD_TRUST || f->type == FIELD_CIPHERS;
		bool has_count = f->type == FIELD_NETS || f->type == FIELD_HOSTS || f->type == FIELD_PINS ||
				 f->type == FIELD_PRINCIPALS || f->type == FIELD_REFS ||
				 f->type == FIELD_TIMES || f->type == FIELD_LIST || f->type == FIELD_OBJECTS;
		bool has_sub = f->type == FIELD_GROUP || f->type == FIELD_LIST || f->type == FIELD_OBJECTS;
		bool ok = f->type != FIELD_NONE && schema_find(schema, f->key) == f; /* no key twice */

		ok = ok && (f->flag_offset != 0) == has_flag;
		ok = ok && (f->count_offset != 0) == has_count && (f->sub != NULL) == has_sub;
		ok = ok && (f->words != NULL || (f->type != FIELD_ENUM && f->type != FIELD_SET));
		ok = ok && (f->section != NULL) == (f->type == FIELD_REF || f->type == FIELD_REFS);
		ok = ok && (f->type != FIELD_DURATION || (f->unit_ms > 0 && f->bare_unit_ms >= f->unit_ms));
		ok = ok && !(f->required && f->default_text != NULL);
		if (!ok)
			fail_msg("the row of \"%s\" is wrong", f->key);
		if (f->type == FIELD_LIST || f->type == FIELD_OBJECTS)
			assert_true(f->sub->size > 0);
		if (has_sub)
			check_table(f->sub);
	}
}

static void test_tables(void **state)
{
	(void)state;
	check_table(schema_root());
}

/* Each section is read before those that refer to it. */
static void test_order(void **state)
{
	const struct field *root = schema_root()->fields;

	(void)state;
	for (const struct field *section = root; section->key != NULL; section++) {
		if (section->sub == NULL)
			continue;
		for (const struct field *f = section->sub->fields; f->key != NULL; f++) {
			const struct field *target;

			if (f->section == NULL)
				continue;
			target = schema_find(schema_root(), f->section);
			assert_non_null(target);
			assert_int_equal(target->type, FIELD_OBJECTS);
			assert_true(target < section);
		}
	}
}

static char page[128 * 1024];

static int read_page(void **state)
{
	FILE *file = fopen("docs/man/attlsd.yaml.5", "r");
	size_t len;

	(void)state;
	if (file == NULL)
		return -1; /* run this from the top of the tree */
	len = fread(page, 1, sizeof(page) - 1, file);
	page[len] = '\0';
	return fclose(file);
}

/* The next line that starts with one of two macros, or the end. */
static const char *find_end(const char *text, const char *macro, const char *other)
{
	const char *a = strstr(text, macro);
	const char *b = strstr(text, other);

	if (a == NULL || (b != NULL && b < a))
		a = b;
	return a != NULL ? a : text + strlen(text);
}

/* The part of text that starts with a macro and a word; NULL: none. The caller frees it. */
static char *part(const char *text, const char *macro, const char *word, const char *other_end)
{
	char start[80];
	size_t len = (size_t)snprintf(start, sizeof(start), "%s%s", macro, word);

	for (const char *at = strstr(text, start); at != NULL; at = strstr(at + 1, start))
		if (at[len] == '\n' || at[len] == ' ')
			return strndup(at, (size_t)(find_end(at + 1, macro, other_end) - at));
	return NULL;
}

static char *section_of(const char *key)
{
	return part(page, "\n.Ss ", key, "\n.Sh ");
}

static char *entry_of(const char *section, const char *key)
{
	return part(section, "\n.It Ic ", key, "\n.Ss ");
}

/* Does the text contain this word, not only as part of another? */
static bool says(const char *text, const char *word, size_t len)
{
	for (const char *at = strchr(text, word[0]); at != NULL; at = strchr(at + 1, word[0])) {
		if (strncmp(at, word, len) == 0 && (at == text || !isalnum((unsigned char)at[-1])) &&
		    !isalnum((unsigned char)at[len]) && at[len] != '_')
			return true;
	}
	return false;
}

static void check_default(const struct field *f, const char *entry)
{
	for (const char *word = f->default_text; word != NULL && *word != '\0';) {
		size_t len = strcspn(word, " ");

		if (strstr(entry, "default is") == NULL || !says(entry, word, len))
			fail_msg("the manual page does not give the default of \"%s\"", f->key);
		word += len + strspn(word + len, " ");
	}
}

static void check_entry(const struct field *f, const char *entry)
{
	check_default(f, entry);
	for (const struct word *word = f->words; word != NULL && word->text != NULL; word++)
		if (word->refusal == NULL && !says(entry, word->text, strlen(word->text)))
			fail_msg("the manual page does not name %s of \"%s\"", word->text, f->key);
	if (f->required && strstr(entry, "Needed") == NULL)
		fail_msg("the manual page does not say that \"%s\" is needed", f->key);
}

static void check_documented(const struct schema *schema, const char *section)
{
	for (const struct field *f = schema->fields; f->key != NULL; f++) {
		char *entry = entry_of(section, f->key);

		if (entry == NULL)
			fail_msg("the manual page lacks \"%s\"", f->key);
		check_entry(f, entry);
		free(entry);
		if (f->sub != NULL)
			check_documented(f->sub, section);
	}
}

static void test_page(void **state)
{
	(void)state;
	for (const struct field *f = schema_root()->fields; f->key != NULL; f++) {
		char *section = section_of(f->key);

		if (section == NULL)
			fail_msg("the manual page lacks \"%s\"", f->key);
		if (f->sub != NULL)
			check_documented(f->sub, section);
		free(section);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_page),
	};

	return cmocka_run_group_tests(tests, read_page, NULL);
}
