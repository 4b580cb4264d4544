/*
 * Turns the JSON about `access`, `per_user` and a path into words. Two explanations are
 * compared by these words, so they are those that people see.
 */
#include "gateway/ctl/explain-words.h"

#include <string.h>

#include "gateway/base/util.h"

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static void put_names(const char *before, const json_t *list, FILE *out)
{
	json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		(void)fprintf(out, "%s %s", i > 0 ? "," : before, json_string_value(one));
}

static bool is_everyone(const json_t *users)
{
	json_t *one;
	size_t i;

	json_array_foreach (users, i, one)
		if (strcmp(json_string_value(one), "*") == 0)
			return true;
	return false;
}

void explain_access_words(json_t *entry, FILE *out)
{
	static const char *const lists[][3] = {
		{ "users", " user", " users" },
		{ "certificates", " certificate of", " certificates of" },
		{ "principals", " principal of", " principals of" },
	};
	const char *separator = ":";

	(void)fputs(word(entry, "path"), out);
	put_names(" for", json_object_get(entry, "verbs"), out);
	if (is_everyone(json_object_get(entry, "users"))) {
		(void)fputs(": everybody", out);
		return;
	}
	for (size_t i = 0; i < NELEM(lists); i++) {
		const json_t *list = json_object_get(entry, lists[i][0]);

		if (json_array_size(list) == 0)
			continue;
		(void)fputs(separator, out);
		put_names(lists[i][json_array_size(list) > 1 ? 2 : 1], list, out);
		separator = ";";
	}
	if (strcmp(separator, ":") == 0)
		(void)fputs(": nobody", out);
}

void explain_per_user_words(json_t *entry, FILE *out)
{
	const char *key, *separator = ":";
	json_t *value;

	put_names("users", json_object_get(entry, "users"), out);
	json_object_foreach (entry, key, value) {
		if (!json_is_string(value))
			continue;
		(void)fprintf(out, "%s %s %s", separator, key, json_string_value(value));
		separator = ",";
	}
}

void explain_client_words(const json_t *client, char buf[static EXPLAIN_WORDS_MAX])
{
	static const struct {
		const char *who;
		const char *words;
	} kinds[] = {
		{ "user", "user " },
		{ "certificate", "with the certificate of " },
		{ "principal", "with the Kerberos ticket of " },
		{ "others", "any other user" },
		{ "client", "this client" },
	};
	const char *name = word(client, "name");
	size_t i = 0;

	while (i + 1 < NELEM(kinds) && strcmp(kinds[i].who, word(client, "who")) != 0)
		i++;
	(void)snprintf(buf, EXPLAIN_WORDS_MAX, "%s%s%s", kinds[i].words,
		       i + 1 == NELEM(kinds) && name[0] != '\0' ? ", user " : "", name);
}

void explain_outcome_words(const json_t *answer, bool with_line, char buf[static EXPLAIN_WORDS_MAX])
{
	const json_t *line = json_object_get(answer, "line");

	if (json_is_true(json_object_get(answer, "allowed")))
		(void)snprintf(buf, EXPLAIN_WORDS_MAX, "goes to the server");
	else if (json_object_get(answer, "key") == NULL)
		(void)snprintf(buf, EXPLAIN_WORDS_MAX, "%s", word(answer, "answer"));
	else if (with_line && line != NULL)
		(void)snprintf(buf, EXPLAIN_WORDS_MAX, "refused by %s, line %" JSON_INTEGER_FORMAT,
			       word(answer, "key"), json_integer_value(line));
	else
		(void)snprintf(buf, EXPLAIN_WORDS_MAX, "refused by %s", word(answer, "key"));
}
