/*
 * Compares two explanations. Each is first turned into a flat list of names and texts,
 * one for each setting and each answer, and these lists are compared.
 */
#include "gateway/ctl/explain-diff.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/explain-words.h"

#define NAME_MAX_BYTES 512

/* What both explanations say about the client itself. */
static const char *const same[] = { "listener", "client", "local", "local_is_example" };

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static void put(json_t *flat, const char *name, const char *text, bool *failed)
{
	json_t *value = json_string(text);

	if (value == NULL || json_object_set_new(flat, name, value) != 0)
		*failed = true;
}

/* A list of texts, or of objects, on one line. */
static void put_list(json_t *flat, const char *name, const json_t *list, bool *failed)
{
	char *text = NULL;
	size_t len, i;
	json_t *one;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL) {
		*failed = true;
		return;
	}
	json_array_foreach (list, i, one)
		(void)fprintf(out, "%s%s", i > 0 ? ", " : "",
			      json_is_object(one) ? word(one, "chain") : json_string_value(one));
	if (fclose(out) != 0)
		*failed = true;
	else
		put(flat, name, text, failed);
	free(text);
}

static void put_settings(json_t *flat, const char *section, json_t *settings, bool *failed)
{
	char name[NAME_MAX_BYTES];
	const char *key;
	json_t *value;

	json_object_foreach (settings, key, value) {
		(void)snprintf(name, sizeof(name), "%s.%s", section, key);
		if (json_is_string(value))
			put(flat, name, json_string_value(value), failed);
		else if (json_is_array(value))
			put_list(flat, name, value, failed);
	}
}

/* As explain prints it. */
static const char *answer_text(const json_t *answer)
{
	static const char *const data[][2] = {
		{ "", "goes to the server" },
		{ "private", "goes to the server; data under TLS" },
		{ "safe", "goes to the server; data under TLS, perhaps with a cipher that does not encrypt" },
		{ "clear", "goes to the server; data in the clear" },
	};
	size_t row = NELEM(data) - 1;

	if (strcmp(word(answer, "by"), "gateway") == 0)
		return word(answer, "answer");
	while (row > 0 && strcmp(data[row][0], word(answer, "data")) != 0)
		row--;
	return data[row][1];
}

static void put_state(json_t *flat, const json_t *state, bool *failed)
{
	const json_t *refused = json_object_get(state, "refused_at");
	char name[NAME_MAX_BYTES], text[NAME_MAX_BYTES];
	json_t *answer, *step;
	size_t i, j;

	if (refused != NULL)
		(void)snprintf(text, sizeof(text), "cannot be reached: %s: %s", word(refused, "command"),
			       answer_text(refused));
	else
		(void)snprintf(text, sizeof(text), "can be reached");
	(void)snprintf(name, sizeof(name), "%s", word(state, "state"));
	put(flat, name, text, failed);
	json_array_foreach (json_object_get(state, "answers"), i, answer) {
		size_t len;

		(void)snprintf(name, sizeof(name), "%s: %s", word(state, "state"), word(answer, "command"));
		json_array_foreach (json_object_get(answer, "after"), j, step) {
			len = strlen(name);
			(void)snprintf(name + len, sizeof(name) - len, "%s %s", j == 0 ? " after" : ",",
				       json_string_value(step));
		}
		put(flat, name, answer_text(answer), failed);
		if (word(answer, "data_to_server")[0] == '\0')
			continue;
		len = strlen(name);
		(void)snprintf(name + len, sizeof(name) - len, ", data to the server");
		put(flat, name, word(answer, "data_to_server"), failed);
	}
}

/* The entries of a list, in words and in one line. */
static void put_entries(json_t *flat, const char *name, const json_t *list,
			void (*words)(json_t *entry, FILE *out), bool *failed)
{
	char *text = NULL;
	size_t len, i;
	json_t *one;
	FILE *out;

	if (list == NULL)
		return;
	out = open_memstream(&text, &len);
	if (out == NULL) {
		*failed = true;
		return;
	}
	json_array_foreach (list, i, one) {
		(void)fputs(i > 0 ? " | " : "", out);
		words(one, out);
	}
	if (fclose(out) != 0)
		*failed = true;
	else
		put(flat, name, text, failed);
	free(text);
}

/* Without lines: an entry that has only moved changes nothing. */
static void put_path(json_t *flat, const json_t *path, bool *failed)
{
	char who[EXPLAIN_WORDS_MAX], name[2 * NAME_MAX_BYTES], text[EXPLAIN_WORDS_MAX + 32];
	json_t *client, *answer;
	size_t i, j;

	json_array_foreach (json_object_get(path, "clients"), i, client) {
		explain_client_words(client, who);
		(void)snprintf(name, sizeof(name), "path %s, %s", word(path, "path"), who);
		(void)snprintf(text, sizeof(text), "%s%s",
			       json_object_get(client, "refused_at_login") != NULL ? "cannot log in: "
										   : "can log in",
			       word(client, "refused_at_login"));
		put(flat, name, text, failed);
		json_array_foreach (json_object_get(client, "answers"), j, answer) {
			(void)snprintf(name, sizeof(name), "path %s, %s: %s", word(path, "path"), who,
				       word(answer, "command"));
			explain_outcome_words(answer, false, text);
			put(flat, name, text, failed);
		}
	}
}

static json_t *flatten(const json_t *explanation, bool *failed)
{
	static const char *const words[] = { "listens_at", "starts_tls", "action",	     "tls_action",
					     "ftp_action", "backend",	 "server_tls_action" };
	json_t *flat = json_object(), *one;
	size_t i;

	if (explanation == NULL)
		return flat;
	put(flat, "rule",
	    json_is_string(json_object_get(explanation, "rule")) ? word(explanation, "rule")
								 : "none: refused",
	    failed);
	for (i = 0; i < NELEM(words); i++)
		if (json_object_get(explanation, words[i]) != NULL)
			put(flat, words[i], word(explanation, words[i]), failed);
	put_settings(flat, "tls", json_object_get(explanation, "tls"), failed);
	put_settings(flat, "ftp", json_object_get(explanation, "ftp"), failed);
	put_entries(flat, "ftp.per_user", json_object_get(explanation, "per_user"), explain_per_user_words,
		    failed);
	put_entries(flat, "ftp.access", json_object_get(explanation, "access"), explain_access_words, failed);
	put_path(flat, json_object_get(explanation, "path"), failed);
	put_settings(flat, "server", json_object_get(explanation, "server"), failed);
	/* without the number of its line: an entry that has only moved changes nothing */
	put_settings(flat, "server_map", json_object_get(explanation, "map"), failed);
	put_settings(flat, "server_tls", json_object_get(explanation, "server_tls"), failed);
	one = json_object_get(explanation, "certificate");
	if (json_is_object(one))
		put(flat, "certificate.user", word(one, "user"), failed);
	if (json_object_get(explanation, "features") != NULL)
		put_list(flat, "FEAT", json_object_get(explanation, "features"), failed);
	json_array_foreach (json_object_get(explanation, "states"), i, one)
		put_state(flat, one, failed);
	return flat;
}

static void add_change(json_t *changes, const char *what, const json_t *from, const json_t *to, bool *failed)
{
	json_t *one = json_pack("{s:s,s:O?,s:O?}", "what", what, "from", from, "to", to);

	if (one == NULL || json_array_append_new(changes, one) != 0)
		*failed = true;
}

/* Is this an answer in a state that the other policy has, but that no client reaches? The state says so. */
static bool is_out_of_reach(const json_t *other, const char *what)
{
	const char *end = strstr(what, ": ");
	char state[2 * NAME_MAX_BYTES];

	if (end == NULL || (size_t)(end - what) >= sizeof(state) || json_object_get(other, what) != NULL)
		return false;
	(void)snprintf(state, sizeof(state), "%.*s", (int)(end - what), what);
	return json_object_get(other, state) != NULL;
}

static void compare(json_t *changes, json_t *from, json_t *to, bool *failed)
{
	const char *what;
	json_t *value;

	json_object_foreach (from, what, value)
		if (!json_equal(value, json_object_get(to, what)) && !is_out_of_reach(to, what))
			add_change(changes, what, value, json_object_get(to, what), failed);
	json_object_foreach (to, what, value)
		if (json_object_get(from, what) == NULL && !is_out_of_reach(from, what))
			add_change(changes, what, NULL, value, failed);
}

json_t *explain_diff_make(const json_t *from, const json_t *to)
{
	const json_t *either = from != NULL ? from : to;
	json_t *diff = json_object(), *changes = json_array();
	bool failed = diff == NULL || changes == NULL;
	json_t *a = flatten(from, &failed), *b = flatten(to, &failed);

	for (size_t i = 0; i < NELEM(same); i++)
		if (json_object_set(diff, same[i], json_object_get(either, same[i])) != 0)
			failed = true;
	compare(changes, a, b, &failed);
	if (json_object_set_new(diff, "changes", changes) != 0)
		failed = true;
	json_decref(a);
	json_decref(b);
	if (!failed)
		return diff;
	json_decref(diff);
	return NULL;
}

static void print_side(char sign, const json_t *text, FILE *out)
{
	if (json_is_string(text))
		(void)fprintf(out, "    %c %s\n", sign, json_string_value(text));
}

void explain_diff_print(const json_t *diff, FILE *out)
{
	const json_t *changes = json_object_get(diff, "changes");
	json_t *one;
	size_t i;

	if (json_array_size(changes) == 0)
		return;
	(void)fprintf(out, "listener %s, client %s, dialled %s%s\n", word(diff, "listener"),
		      word(diff, "client"), word(diff, "local"),
		      json_is_true(json_object_get(diff, "local_is_example")) ? " (an example)" : "");
	json_array_foreach (changes, i, one) {
		(void)fprintf(out, "  %s\n", word(one, "what"));
		print_side('-', json_object_get(one, "from"), out);
		print_side('+', json_object_get(one, "to"), out);
	}
}
