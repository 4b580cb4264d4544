/*
 * Prints an explanation for people: the rules, the settings in force, the additions
 * to FEAT, and a table of answers for each state. Its only input is the JSON.
 */
#include "gateway/ctl/explain-print.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/explain-words.h"

/* Width of the table's left column; longer commands push the answer to the right. */
#define COMMAND_WIDTH 40
#define KEY_WIDTH     23 /* of "server_greeting_timeout", the longest */

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static void print_rules(const json_t *explanation, FILE *out)
{
	const json_t *rules = json_object_get(explanation, "rules");
	size_t i, j;
	json_t *rule, *name;

	(void)fputs("\nrules, in the order in which they are tried", out);
	if (json_object_get(explanation, "at") != NULL)
		(void)fprintf(out, " at %s", word(explanation, "at"));
	(void)fputs("\n", out);
	json_array_foreach (rules, i, rule) {
		(void)fprintf(out, "  %-*s priority %" JSON_INTEGER_FORMAT ": ", KEY_WIDTH,
			      word(rule, "name"), json_integer_value(json_object_get(rule, "priority")));
		if (json_is_true(json_object_get(rule, "matches"))) {
			(void)fputs("matches\n", out);
			continue;
		}
		(void)fputs("no, another", out);
		json_array_foreach (json_object_get(rule, "differs_in"), j, name)
			(void)fprintf(out, "%s %s", j > 0 ? "," : "", json_string_value(name));
		(void)fputs("\n", out);
	}
}

/* Is this key in the list that a section has under `list`? */
static bool is_listed(const json_t *explanation, const char *list, const char *section, const char *key)
{
	const json_t *keys = json_object_get(json_object_get(explanation, list), section);
	json_t *one;
	size_t i;

	json_array_foreach (keys, i, one)
		if (strcmp(json_string_value(one), key) == 0)
			return true;
	return false;
}

/* Why a value is not one that the policy gives, or does not count. */
static const char *remark(const json_t *explanation, const char *section, const char *key)
{
	static const char *const remarks[2][2] = {
		{ "", " (has no effect here)" },
		{ " (default)", " (default, has no effect here)" },
	};

	return remarks[is_listed(explanation, "defaults", section, key)]
		      [is_listed(explanation, "without_effect", section, key)];
}

static void print_list(const char *key, const json_t *list, FILE *out)
{
	json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		if (json_is_object(one)) /* of certificates */
			(void)fprintf(out, "  %-*s %s%s%s\n", KEY_WIDTH, "certificate", word(one, "chain"),
				      json_object_get(one, "label") != NULL ? ", label " : "",
				      word(one, "label"));
		else if (i == 0)
			(void)fprintf(out, "  %-*s %s", KEY_WIDTH, key, json_string_value(one));
		else
			(void)fprintf(out, ", %s", json_string_value(one));
	}
	if (i > 0 && json_is_string(json_array_get(list, 0)))
		(void)fputc('\n', out);
}

static void print_settings(const json_t *explanation, const char *title, const char *name,
			   const char *section, FILE *out)
{
	json_t *settings = json_object_get(explanation, section);
	const char *key;
	json_t *value;

	(void)fprintf(out, "\n%s \"%s\"\n", title, word(explanation, name));
	json_object_foreach (settings, key, value) {
		if (json_is_string(value))
			(void)fprintf(out, "  %-*s %s%s\n", KEY_WIDTH, key, json_string_value(value),
				      remark(explanation, section, key));
		print_list(key, value, out);
	}
	if (json_is_true(json_object_get(settings, "original")))
		(void)fprintf(out, "  %-*s address: original%s\n", KEY_WIDTH, "",
			      json_is_true(json_object_get(explanation, "local_is_example"))
				  ? "; this one is an example, --local names another"
				  : "");
}

/* What passivedatashare: source means for a site behind one address. */
static void print_plans(const json_t *plans, FILE *out)
{
	if (plans != NULL)
		(void)fprintf(out,
			      "  %-*s %" JSON_INTEGER_FORMAT
			      " data connections of %s at a time may wait for the client\n",
			      KEY_WIDTH, "", json_integer_value(json_object_get(plans, "at_a_time")),
			      word(plans, "of"));
}

/* Which entry of the server map decides. */
static void print_map(const json_t *map, FILE *out)
{
	if (map == NULL)
		return;
	(void)fprintf(out, "  %-*s line %" JSON_INTEGER_FORMAT ": %s%s%s: %s\n", KEY_WIDTH, "server_map says",
		      json_integer_value(json_object_get(map, "line")), word(map, "kind"),
		      word(map, "value")[0] != '\0' ? " " : "", word(map, "value"), word(map, "server"));
}

static void print_answer(const json_t *answer, FILE *out)
{
	static const struct {
		const char *level;
		const char *text;
	} levels[] = {
		{ "private", "under TLS" },
		{ "safe", "under TLS, perhaps with a cipher that does not encrypt" },
		{ "clear", "in the clear" },
	};
	const char *data = word(answer, "data"), *to_server = word(answer, "data_to_server");
	size_t row = 0;

	if (strcmp(word(answer, "by"), "gateway") == 0)
		(void)fputs(word(answer, "answer"), out);
	else if (data[0] == '\0')
		(void)fputs("goes to the server", out);
	else {
		while (row + 1 < NELEM(levels) && strcmp(levels[row].level, data) != 0)
			row++;
		(void)fprintf(out, "goes to the server; data %s%s%s", levels[row].text,
			      to_server[0] != '\0' ? ", to the server " : "", to_server);
	}
	if (json_object_get(answer, "would_refuse") != NULL)
		(void)fprintf(out, " (%s would refuse it)", word(answer, "would_refuse"));
	(void)fputc('\n', out);
}

static void print_state(const json_t *state, FILE *out)
{
	const json_t *refused = json_object_get(state, "refused_at");
	json_t *answer, *step;
	size_t i, j;

	(void)fprintf(out, "\n%s\n", word(state, "state"));
	if (refused != NULL) {
		(void)fprintf(out, "  cannot be reached: %s: ", word(refused, "command"));
		print_answer(refused, out);
		return;
	}
	json_array_foreach (json_object_get(state, "answers"), i, answer) {
		int width = fprintf(out, "  %s", word(answer, "command"));

		json_array_foreach (json_object_get(answer, "after"), j, step)
			width += fprintf(out, "%s %s", j == 0 ? " after" : ",", json_string_value(step));
		(void)fprintf(out, "%*s ", width < COMMAND_WIDTH ? COMMAND_WIDTH - width : 0, "");
		print_answer(answer, out);
	}
}

/* The entries for single users. */
static void print_per_user(const json_t *explanation, FILE *out)
{
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(explanation, "per_user"), i, one) {
		(void)fputs(i == 0 ? "\nlevels of single users; the first entry that names a user counts\n  "
				   : "  ",
			    out);
		explain_per_user_words(one, out);
		(void)fputc('\n', out);
	}
}

static void print_access(const json_t *list, FILE *out)
{
	json_t *one, *line;
	size_t i;

	json_array_foreach (list, i, one) {
		if (i == 0)
			(void)fputs("\naccess; the first entry that covers path and verb decides\n", out);
		line = json_object_get(one, "line");
		if (line != NULL)
			(void)fprintf(out, "  line %" JSON_INTEGER_FORMAT ": ", json_integer_value(line));
		else
			(void)fputs("  ", out);
		explain_access_words(one, out);
		(void)fputc('\n', out);
	}
}

/* The commands that have the outcome of the one at `first`, in one line. */
static void print_outcome(const json_t *answers, size_t first, FILE *out)
{
	char outcome[EXPLAIN_WORDS_MAX], other[EXPLAIN_WORDS_MAX];
	size_t shown = 0;

	explain_outcome_words(json_array_get(answers, first), true, outcome);
	for (size_t i = 0; i < json_array_size(answers); i++) {
		explain_outcome_words(json_array_get(answers, i), true, other);
		if (strcmp(outcome, other) != 0)
			continue;
		if (i < first)
			return; /* it is in the line of that one */
		if (shown++ == 0)
			(void)fprintf(out, "    %s: %s", outcome,
				      word(json_array_get(answers, i), "command"));
		else
			(void)fprintf(out, ", %s", word(json_array_get(answers, i), "command"));
	}
	(void)fputc('\n', out);
}

static void print_path(const json_t *path, FILE *out)
{
	char text[EXPLAIN_WORDS_MAX];
	json_t *client;
	size_t i;

	if (path == NULL)
		return;
	(void)fprintf(out, "\npath %s\n", word(path, "path"));
	json_array_foreach (json_object_get(path, "clients"), i, client) {
		const json_t *answers = json_object_get(client, "answers");

		explain_client_words(client, text);
		(void)fprintf(out, "  %s\n", text);
		if (json_object_get(client, "refused_at_login") != NULL)
			(void)fprintf(out, "    cannot log in: %s\n", word(client, "refused_at_login"));
		for (size_t j = 0; j < json_array_size(answers); j++)
			print_outcome(answers, j, out);
	}
}

static void print_assumptions(const json_t *explanation, FILE *out)
{
	const json_t *certificate = json_object_get(explanation, "certificate");
	const char *user = word(certificate, "user");

	(void)fputs(
	    "\nThis assumes that the server agrees to everything. Ports in 227 and 229 are examples.\n", out);
	if (json_is_true(json_object_get(explanation, "local_is_example")))
		(void)fputs("The address that the client dialled is an example; --local names another.\n",
			    out);
	if (!json_is_object(certificate))
		(void)fputs("It assumes that the client shows no certificate.\n", out);
	else
		(void)fprintf(out, "The client shows the certificate %s, %s%s.\n",
			      word(certificate, "subject"),
			      user[0] != '\0' ? "user " : "which belongs to no user of the policy", user);
}

/* Values that other gateways with this policy do not have. */
static void print_own(const json_t *own, FILE *out)
{
	json_t *one;
	size_t i;

	json_array_foreach (own, i, one)
		(void)fprintf(out, "%s %s (%s:%" JSON_INTEGER_FORMAT ")",
			      i > 0 ? "," : "of this node:", word(one, "key"), word(one, "file"),
			      json_integer_value(json_object_get(one, "line")));
	if (i > 0)
		(void)fputs("\n", out);
}

void explain_print(const json_t *explanation, FILE *out)
{
	const json_t *features = json_object_get(explanation, "features");
	json_t *item;
	size_t i;

	(void)fprintf(out, "listener %s, %s TLS; client %s, dialled %s\n", word(explanation, "listener"),
		      word(explanation, "starts_tls"), word(explanation, "client"),
		      word(explanation, "local"));
	print_own(json_object_get(explanation, "node"), out);
	print_rules(explanation, out);
	if (json_is_null(json_object_get(explanation, "rule"))) {
		(void)fputs("\nno rule matches: the connection is refused\n", out);
		return;
	}
	if (strcmp(word(explanation, "action"), "audit") == 0)
		(void)fputs("\naction: audit: what the levels below would refuse passes, and is logged as "
			    "would-refuse\n",
			    out);
	if (json_object_get(explanation, "tls") != NULL)
		print_settings(explanation, "tls action", "tls_action", "tls", out);
	print_settings(explanation, "ftp action", "ftp_action", "ftp", out);
	print_plans(json_object_get(explanation, "plans"), out);
	print_per_user(explanation, out);
	print_access(json_object_get(explanation, "access"), out);
	print_settings(explanation, "backend", "backend", "server", out);
	print_map(json_object_get(explanation, "map"), out);
	if (json_object_get(explanation, "server_tls") != NULL)
		print_settings(explanation, "tls action toward the server", "server_tls_action", "server_tls",
			       out);
	(void)fprintf(out, "\nFEAT adds %s", json_array_size(features) == 0 ? "nothing" : "");
	json_array_foreach (features, i, item)
		(void)fprintf(out, "%s%s", i > 0 ? ", " : "", json_string_value(item));
	(void)fputs("\n", out);
	json_array_foreach (json_object_get(explanation, "states"), i, item)
		print_state(item, out);
	print_path(json_object_get(explanation, "path"), out);
	print_assumptions(explanation, out);
}
