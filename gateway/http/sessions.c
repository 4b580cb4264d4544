/*
 * The list of sessions as JSON, each as `attlsctl sessions --json` has it. Workers choose,
 * this process sorts and cuts.
 */
#include "gateway/http/sessions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/view/session-choice.h"
#include "gateway/view/session-json.h"

#define LIMIT_MAX 10000

enum sort {
	SORT_SESSION = 0,
	SORT_AGE,
	SORT_IDLE,
	SORT_BYTES,
	SORT_RATE,
	SORT_USER,
	SORT_CLIENT,
	SORT_RULE,
	SORT_BACKEND
};

static const char *const sorts[] = {
	[SORT_SESSION] = "session", [SORT_AGE] = "age",	  [SORT_IDLE] = "idle",
	[SORT_BYTES] = "bytes",	    [SORT_RATE] = "rate", [SORT_USER] = "user",
	[SORT_CLIENT] = "client",   [SORT_RULE] = "rule", [SORT_BACKEND] = "backend",
};

/* --- the query --- */

static bool parse_number(const char *text, size_t max, size_t *ret)
{
	size_t n = 0;

	if (text[0] == '\0' || strlen(text) > 7)
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (size_t)(*text - '0');
	}
	if (n > max)
		return false;
	*ret = n;
	return true;
}

/* What is wrong with the query; the text lives until the next call. */
static const char *parse_choice(struct request *request)
{
	static const char *const keys[] = { "user", "client", "rule", "listener", "backend", "idle" };
	static char fault[160]; /* one thread, which sends it at once */
	const char *transfers = request_query(request, "transfers");

	if (transfers != NULL && strcmp(transfers, "1") != 0)
		return "transfers must be 1, or not be there";
	request->filter.transfers = transfers != NULL;
	for (size_t i = 0; i < NELEM(keys); i++) {
		const char *value = request_query(request, keys[i]);
		const char *needs =
		    value != NULL ? session_choice_set(&request->filter, keys[i], value) : NULL;

		if (needs == NULL)
			continue;
		(void)snprintf(fault, sizeof(fault), "%s needs %s", keys[i], needs);
		return fault;
	}
	return NULL;
}

const char *sessions_parse(struct request *request)
{
	const char *limit = request_query(request, "limit");
	const char *offset = request_query(request, "offset");
	const char *sort = request_query(request, "sort");

	request->limit = LIMIT_MAX;
	if (limit != NULL && !parse_number(limit, LIMIT_MAX, &request->limit))
		return "limit must be a number up to 10000";
	if (offset != NULL && !parse_number(offset, SIZE_MAX, &request->offset))
		return "offset must be a number";
	request->backwards = sort != NULL && sort[0] == '-';
	if (request->backwards)
		sort++;
	while (sort != NULL && request->sort < NELEM(sorts) && strcmp(sort, sorts[request->sort]) != 0)
		request->sort++;
	if (request->sort == NELEM(sorts))
		return "sort must be one of: session, age, idle, bytes, rate, user, client, rule, backend; "
		       "a minus before it turns the order round";
	return parse_choice(request);
}

/* --- the answer --- */

static int descending(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

static int by_address(const struct ip_endpoint *a, const struct ip_endpoint *b)
{
	int r = (a->addr.family > b->addr.family) - (a->addr.family < b->addr.family);

	return r != 0 ? r : memcmp(a->addr.bytes, b->addr.bytes, sizeof(a->addr.bytes));
}

/* What is large, old or idle comes first; equal ones are in the order of their numbers. */
static int compare(const void *a, const void *b, void *context)
{
	const struct request *request = context;
	const struct answer_session *x = *(const struct answer_session *const *)a;
	const struct answer_session *y = *(const struct answer_session *const *)b;
	int r = 0;

	switch ((enum sort)request->sort) {
	case SORT_SESSION:
		break;
	case SORT_AGE:
		r = descending(x->age_ms, y->age_ms);
		break;
	case SORT_IDLE:
		r = descending(x->idle_ms, y->idle_ms);
		break;
	case SORT_BYTES:
		r = descending(x->bytes, y->bytes);
		break;
	case SORT_RATE:
		r = descending(x->rate, y->rate);
		break;
	case SORT_USER:
		r = strcmp(x->user, y->user);
		break;
	case SORT_CLIENT:
		r = by_address(&x->remote, &y->remote);
		break;
	case SORT_RULE:
		r = strcmp(x->rule, y->rule);
		break;
	case SORT_BACKEND:
		r = strcmp(x->backend, y->backend);
		break;
	}
	if (request->backwards)
		r = -r;
	return r != 0 ? r : (x->session > y->session) - (x->session < y->session);
}

static void add_sessions(struct text *text, struct request *request, const struct answers *answers)
{
	const struct answer_session **order =
	    calloc(answers->nsessions + 1, sizeof(const struct answer_session *));
	size_t end = answers->nsessions;
	struct json_writer to;

	if (order == NULL) {
		text->failed = true;
		return;
	}
	for (size_t i = 0; i < answers->nsessions; i++)
		order[i] = &answers->sessions[i];
	qsort_r(order, answers->nsessions, sizeof(const struct answer_session *), compare, request);
	if (request->offset < end && request->limit < end - request->offset)
		end = request->offset + request->limit;
	for (size_t i = request->offset; i < end && !text->failed; i++) {
		text_add(text, i > request->offset ? ",\n" : "\n", i > request->offset ? 2 : 1);
		json_write_begin(&to, text_add_piece, text, false);
		session_json_write(&to, answers, order[i]);
		(void)json_write_end(&to); /* the text knows whether it has failed */
	}
	free(order);
}

void sessions_answer(struct request *request, const struct asker_result *result)
{
	const struct answers *answers = result->answers;
	struct text text = { .bytes = NULL };
	bool whole = true;

	if (answers == NULL) {
		request_say(request, MHD_HTTP_SERVICE_UNAVAILABLE, "attlsd does not answer");
		return;
	}
	for (size_t i = 0; i < answers->nworkers; i++)
		whole = whole && !client_is_silent(&answers->workers[i]);
	for (size_t i = 0; i < answers->nolder; i++)
		whole = whole && !client_older_is_silent(&answers->older[i]);
	text_print(&text, "{\"total\":%" PRIu64 ",\"matching\":%zu,\"whole\":%s,\"sessions\":[",
		   client_answers_sessions(answers), answers->nsessions, whole ? "true" : "false");
	add_sessions(&text, request, answers);
	text_print(&text, "]}\n");
	request_answer(request, MHD_HTTP_OK, "application/json", &text);
}
