/*
 * A row for each client and key that would have refused it. Its input is the table behind
 * `report clients`, of which it shows what rules with `action: audit` have noted.
 */
#include "gateway/view/shut-out-report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "gateway/base/habits.h"
#include "gateway/view/client-answers.h"
#include "gateway/view/client-text.h"
#include "gateway/view/ja4-names.h"
#include "gateway/view/json-print.h"

/* A client and one of the keys. */
struct shut_out {
	const struct answer_client *client;
	unsigned key; /* from HABIT_WOULD_FIRST on */
};

static bool is_counted(const struct shut_out *row, uint64_t since_s)
{
	uint64_t last_s = row->client->habits[HABIT_WOULD_FIRST + row->key].last_s;

	return last_s > 0 && last_s >= since_s;
}

/* "secure_ftp" */
static const char *key_name(unsigned key)
{
	return habit_name((enum habit)(HABIT_WOULD_FIRST + key)) + strlen("would_refuse_");
}

static const char *software(const struct answer_client *client)
{
	const char *known = ja4_name(client->ja4);

	if (client->software[0] != '\0')
		return client->software;
	return known != NULL ? known : client->ja4[0] != '\0' ? client->ja4 : "unknown software";
}

/* The next row; false: there is none. Begin with both at 0. */
static bool next_row(const struct answers *answers, uint64_t since_s, size_t *client, unsigned *key,
		     struct shut_out *ret)
{
	for (; *client < answers->nclients; (*client)++, *key = 0)
		while (*key < HABIT_WOULD_COUNT) {
			*ret = (struct shut_out){ .client = &answers->clients[*client], .key = (*key)++ };
			if (is_counted(ret, since_s))
				return true;
		}
	return false;
}

static void print_row(const struct shut_out *row, uint64_t now_s, FILE *out)
{
	const struct answer_client *client = row->client;
	uint64_t last_s = client->habits[HABIT_WOULD_FIRST + row->key].last_s;
	uint64_t first_s = client->would[row->key].first_s;
	char shown[CLIENT_SHOWN_MAX], named[CLIENT_SHOWN_MAX], rule[CLIENT_SHOWN_MAX], address[IP_TEXT_MAX];
	char first[CLIENT_AGE_MAX], last[CLIENT_AGE_MAX], line[32] = "";

	if (client->would[row->key].line > 0)
		(void)snprintf(line, sizeof(line), ", line %" PRIu32, client->would[row->key].line);
	(void)fprintf(out,
		      "\n%s from %s, %s\n    would be refused by %s (rules \"%s\"%s): %" PRIu64
		      " session%s, the first %s ago, the last %s ago\n",
		      client->logged_in ? client_text_shown(client->user, shown) : "nobody who logged in",
		      ip_addr_format(&client->address, address), client_text_shown(software(client), named),
		      key_name(row->key), client_text_shown(client->rule, rule), line,
		      client->habits[HABIT_WOULD_FIRST + row->key].sessions,
		      client->habits[HABIT_WOULD_FIRST + row->key].sessions == 1 ? "" : "s",
		      client_text_ago(first_s, now_s, first), client_text_ago(last_s, now_s, last));
}

void shut_out_report_print(const struct answers *answers, uint64_t since_s, uint64_t now_s, FILE *out)
{
	struct shut_out row;
	char age[CLIENT_AGE_MAX];
	size_t client = 0, n = 0;
	unsigned key = 0;

	while (next_row(answers, since_s, &client, &key, &row)) {
		print_row(&row, now_s, out);
		n++;
	}
	(void)fprintf(
	    out,
	    "%s%zu refusal%s of clients in rules with \"action: audit\"; attlsd has counted for %s, "
	    "since it started\n",
	    n > 0 ? "\n" : "", n, n == 1 ? "" : "s", client_text_age(answers->gateway.up_ms, age));
}

static json_t *row_json(const struct shut_out *row)
{
	const struct answer_client *client = row->client;
	char user[CLIENT_SHOWN_MAX], named[CLIENT_SHOWN_MAX], rule[CLIENT_SHOWN_MAX], address[IP_TEXT_MAX];

	return json_pack("{s:o,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I}", "user",
			 client->logged_in ? json_string(client_text_shown(client->user, user)) : json_null(),
			 "address", ip_addr_format(&client->address, address), "software",
			 client_text_shown(software(client), named), "rule",
			 client_text_shown(client->rule, rule), "key", key_name(row->key), "line",
			 (json_int_t)client->would[row->key].line, "sessions",
			 (json_int_t)client->habits[HABIT_WOULD_FIRST + row->key].sessions, "first",
			 (json_int_t)client->would[row->key].first_s, "last",
			 (json_int_t)client->habits[HABIT_WOULD_FIRST + row->key].last_s);
}

int shut_out_report_json(const struct answers *answers, uint64_t since_s, FILE *out)
{
	json_t *list = json_array();
	struct shut_out row;
	size_t client = 0;
	unsigned key = 0;

	while (next_row(answers, since_s, &client, &key, &row))
		(void)json_array_append_new(list, row_json(&row));
	return json_print(json_pack("{s:I,s:I,s:o}", "counted_ms", (json_int_t)answers->gateway.up_ms,
				    "since", (json_int_t)since_s, "shut_out", list),
			  out);
}
