/*
 * The report for people is meant to be read from the top: how many clients each change would
 * shut out, then the clients themselves, those with the most trouble first.
 */
#include "gateway/view/client-report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/habits.h"
#include "gateway/view/client-answers.h"
#include "gateway/view/client-text.h"
#include "gateway/view/client-verdict.h"
#include "gateway/view/ja4-names.h"
#include "gateway/view/json-print.h"

#define POLICY_WIDTH 36
#define NETWORK_MAX  (IP_TEXT_MAX + sizeof("/128"))

/* What qsort() compares. */
struct row {
	const struct answer_client *client;
	uint64_t habits;
	size_t breaks, partly;
};

struct rows {
	struct row *rows;
	size_t n;
};

static int by_trouble(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->client->logged_in != y->client->logged_in)
		return x->client->logged_in ? -1 : 1;
	if (x->breaks != y->breaks)
		return x->breaks > y->breaks ? -1 : 1;
	if (x->partly != y->partly)
		return x->partly > y->partly ? -1 : 1;
	return (x->client->last_s < y->client->last_s) - (x->client->last_s > y->client->last_s);
}

/* The clients that were seen since then. Returns 0 or -1: no memory. */
static int rows_make(const struct answers *answers, uint64_t since_s, struct rows *ret)
{
	*ret = (struct rows){ .rows = calloc(answers->nclients + 1, sizeof(*ret->rows)) };
	if (ret->rows == NULL)
		return -1;
	for (size_t i = 0; i < answers->nclients; i++) {
		const struct answer_client *client = &answers->clients[i];
		uint64_t habits = client_habits_since(client, since_s);

		if (client->last_s >= since_s)
			ret->rows[ret->n++] =
			    (struct row){ .client = client,
					  .habits = habits,
					  .breaks = client_verdict_count(habits, VERDICT_BREAKS),
					  .partly = client_verdict_count(habits, VERDICT_PARTLY) };
	}
	qsort(ret->rows, ret->n, sizeof(*ret->rows), by_trouble);
	return 0;
}

static const char *network_text(const struct answer_client *client, char buf[static NETWORK_MAX])
{
	char text[IP_TEXT_MAX];

	if (client->network.addr.family != IP_V4 && client->network.addr.family != IP_V6)
		return "";
	(void)snprintf(buf, NETWORK_MAX, "%s/%u", ip_addr_format(&client->network.addr, text),
		       (unsigned)client->network.prefix);
	return buf;
}

static void print_summary(const struct rows *rows, FILE *out)
{
	(void)fprintf(out, "\n%-*s  %6s  %6s  %7s  %5s\n", POLICY_WIDTH, "OF THE CLIENTS THAT LOG IN, WITH",
		      "BREAK", "PARTLY", "UNKNOWN", "WORK");
	for (size_t i = 0; i < CLIENT_CHANGES; i++) {
		size_t n[VERDICTS] = { 0 };

		for (size_t j = 0; j < rows->n; j++)
			if (rows->rows[j].client->logged_in)
				n[client_verdict(&client_changes[i], rows->rows[j].habits)]++;
		if (!client_changes[i].always)
			(void)fprintf(out, "%-*s  %6zu  %6zu  %7zu  %5zu\n", POLICY_WIDTH,
				      client_changes[i].policy, n[VERDICT_BREAKS], n[VERDICT_PARTLY],
				      n[VERDICT_UNKNOWN], n[VERDICT_WORKS]);
	}
}

/* The changes with one verdict, a line each. */
static void print_changes(const struct row *row, enum verdict verdict, const char *heading, FILE *out)
{
	for (size_t i = 0; i < CLIENT_CHANGES; i++) {
		const struct client_change *change = &client_changes[i];

		if (client_verdict(change, row->habits) != verdict)
			continue;
		(void)fprintf(out, "    %-12s %-*s %s\n", change->always ? "fails now:" : heading,
			      POLICY_WIDTH, change->policy, change->reason);
	}
}

/* "PROT P (12, 3m04s ago)": what else is worth knowing. */
static void print_habits(const struct row *row, uint64_t now_s, FILE *out)
{
	const char *before = "    shows:       ";
	char age[CLIENT_AGE_MAX];

	for (enum habit habit = 0; habit < HABIT_COUNT; habit++) {
		if ((row->habits >> habit & 1) == 0)
			continue;
		(void)fprintf(out, "%s%s", before, habit_name(habit));
		if (row->client->habits[habit].sessions != row->client->sessions)
			(void)fprintf(out, " (%" PRIu64 ", %s ago)", row->client->habits[habit].sessions,
				      client_text_ago(row->client->habits[habit].last_s, now_s, age));
		before = ", ";
	}
	if (row->client->data_tls > 0)
		(void)fprintf(out, "%s%" PRIu64 " of %" PRIu64 " data connections resumed", before,
			      row->client->data_resumed, row->client->data_tls);
	if (row->habits != 0 || row->client->data_tls > 0)
		(void)fputc('\n', out);
}

static void print_software(const struct answer_client *client, FILE *out)
{
	char shown[CLIENT_SHOWN_MAX];
	const char *name = ja4_name(client->ja4);

	if (client->software[0] != '\0')
		(void)fprintf(out, "\"%s\"", client_text_shown(client->software, shown));
	else if (name != NULL)
		(void)fprintf(out, "%s", name);
	else
		(void)fprintf(out, "%s",
			      client->ja4[0] != '\0' ? client_text_shown(client->ja4, shown)
						     : "unknown software");
}

static void print_client(const struct row *row, uint64_t now_s, FILE *out)
{
	const struct answer_client *client = row->client;
	char shown[CLIENT_SHOWN_MAX], network[NETWORK_MAX], age[CLIENT_AGE_MAX];

	(void)fputc('\n', out);
	if (client->logged_in)
		(void)fprintf(out, "%s from %s, ", client_text_shown(client->user, shown),
			      network_text(client, network));
	print_software(client, out);
	(void)fprintf(out, ": %" PRIu64 " session%s, the last %s ago\n", client->sessions,
		      client->sessions == 1 ? "" : "s", client_text_ago(client->last_s, now_s, age));
	if (client->subject[0] != '\0')
		(void)fprintf(out, "    certificate: %s\n", client_text_shown(client->subject, shown));
	print_changes(row, VERDICT_BREAKS, "breaks with:", out);
	print_changes(row, VERDICT_PARTLY, "partly with:", out);
	print_habits(row, now_s, out);
}

void client_report_print(const struct answers *answers, uint64_t since_s, uint64_t now_s, FILE *out)
{
	bool others = false;
	struct rows rows;
	char age[CLIENT_AGE_MAX];

	if (rows_make(answers, since_s, &rows) < 0) {
		(void)fprintf(stderr, "attlsctl: not enough memory\n");
		return;
	}
	(void)fprintf(out, "%zu client%s seen; attlsd has counted for %s, since it started\n", rows.n,
		      rows.n == 1 ? "" : "s", client_text_age(answers->gateway.up_ms, age));
	if (rows.n > 0)
		print_summary(&rows, out);
	for (size_t i = 0; i < rows.n; i++) {
		if (!rows.rows[i].client->logged_in && !others)
			(void)fprintf(out, "\nCLIENTS THAT HAVE NOT LOGGED IN, BY SOFTWARE\n");
		others |= !rows.rows[i].client->logged_in;
		print_client(&rows.rows[i], now_s, out);
	}
	free(rows.rows);
}

static json_t *habits_json(const struct row *row)
{
	json_t *habits = json_object();

	for (enum habit habit = 0; habit < HABIT_COUNT; habit++)
		if ((row->habits >> habit & 1) != 0)
			(void)json_object_set_new(habits, habit_name(habit),
						  json_pack("{s:I,s:I}", "sessions",
							    (json_int_t)row->client->habits[habit].sessions,
							    "last",
							    (json_int_t)row->client->habits[habit].last_s));
	return habits;
}

static json_t *verdicts_json(const struct row *row)
{
	json_t *verdicts = json_object();

	for (size_t i = 0; i < CLIENT_CHANGES; i++)
		(void)json_object_set_new(
		    verdicts, client_changes[i].name,
		    json_string(client_verdict_name(client_verdict(&client_changes[i], row->habits))));
	return verdicts;
}

/* A text, or null if it is not known. */
static json_t *known(const char *text)
{
	char shown[CLIENT_SHOWN_MAX];

	return text == NULL || text[0] == '\0' ? json_null() : json_string(client_text_shown(text, shown));
}

static json_t *client_json(const struct row *row)
{
	const struct answer_client *client = row->client;
	char network[NETWORK_MAX];

	return json_pack("{s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:I,s:I,s:{s:I,s:I},s:o,s:o}", "logged_in",
			 (int)client->logged_in, "user", known(client->user), "network",
			 known(network_text(client, network)), "software", known(client->software), "ja4",
			 known(client->ja4), "known_as", known(ja4_name(client->ja4)), "certificate",
			 known(client->subject), "group", known(client->group), "first",
			 (json_int_t)client->first_s, "last", (json_int_t)client->last_s, "sessions",
			 (json_int_t)client->sessions, "data_connections", "tls",
			 (json_int_t)client->data_tls, "resumed", (json_int_t)client->data_resumed, "habits",
			 habits_json(row), "verdicts", verdicts_json(row));
}

static json_t *changes_json(void)
{
	json_t *list = json_array();

	for (size_t i = 0; i < CLIENT_CHANGES; i++)
		(void)json_array_append_new(
		    list, json_pack("{s:s,s:s,s:b,s:s}", "name", client_changes[i].name, "policy",
				    client_changes[i].policy, "in_force", client_changes[i].always, "reason",
				    client_changes[i].reason));
	return list;
}

int client_report_json(const struct answers *answers, uint64_t since_s, FILE *out)
{
	json_t *list = json_array();
	struct rows rows;
	int r = rows_make(answers, since_s, &rows);

	for (size_t i = 0; r == 0 && i < rows.n; i++)
		(void)json_array_append_new(list, client_json(&rows.rows[i]));
	if (r < 0) {
		json_decref(list);
		return -1;
	}
	free(rows.rows);
	return json_print(json_pack("{s:I,s:I,s:o,s:o}", "counted_ms", (json_int_t)answers->gateway.up_ms,
				    "since", (json_int_t)since_s, "changes", changes_json(), "clients", list),
			  out);
}
