/*
 * Prints the status of a running attlsd as tables or JSON. session-print.c and
 * session-json.c do the same for its sessions.
 */
#include "gateway/view/client-print.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "gateway/base/util.h"
#include "gateway/view/client-answers.h"
#include "gateway/view/client-backends.h"
#include "gateway/view/client-json.h"
#include "gateway/view/client-ready.h"
#include "gateway/view/client-servers.h"
#include "gateway/view/client-text.h"
#include "gateway/view/json-print.h"

/* Digits of a digest that people compare. */
#define DIGEST_SHOWN 16

const char *client_print_state(uint32_t state)
{
	switch ((enum answer_worker_state)state) {
	case WORKER_STARTS:
		return "starts";
	case WORKER_SERVES:
		return "serves";
	case WORKER_BACKLOGGED:
		return "backlogged";
	case WORKER_RETIRES:
		return "retires";
	case WORKER_DRAINS:
		return "drains";
	case WORKER_ENDS:
		return "ends";
	}
	return "unknown";
}

/* A draining attlsd gives up a reload under way, which is not a failure. */
static bool reload_has_failed(const struct answer_gateway *gateway)
{
	return gateway->failure[0] != '\0' && gateway->draining == 0;
}

/* Their sessions are not in the list of workers, which are of this attlsd. */
static void print_older(const struct answers *answers, FILE *out)
{
	if (answers->nolder == 0)
		return;
	(void)fprintf(out, "\n%8s  %10s  %-10s  %8s  %9s\n", "REPLACED", "GENERATION", "VERSION", "SESSIONS",
		      "WORKERS");
	for (size_t i = 0; i < answers->nolder; i++) {
		const struct answer_older *older = &answers->older[i].older;

		(void)fprintf(out, "%8d  %10" PRIu64 "  %-10s  %8" PRIu64 "  %9" PRIu32 "\n", (int)older->pid,
			      older->generation, older->version, older->sessions, older->workers);
	}
}

static void print_audit(const struct answer_gateway *gateway, FILE *out)
{
	if (gateway->unaudited != 0)
		(void)fprintf(
		    out, "the audit trail cannot be written: new sessions are %s; attlsctl events says why\n",
		    gateway->unaudited_refused != 0 ? "refused" : "served");
}

/* What an operator has ordered. */
static void print_orders(const struct answer_gateway *gateway, FILE *out)
{
	char since[CLIENT_AGE_MAX], left[CLIENT_AGE_MAX];

	if (gateway->maintenance != 0)
		(void)fprintf(out, "maintenance for %s: not ready for load balancers, new sessions are %s\n",
			      client_text_age(gateway->maintenance_ms, since),
			      gateway->refusing != 0 ? "refused" : "served");
	if (gateway->deadline_ms != 0)
		(void)fprintf(out, "%s in %s\n", gateway->draining ? "sessions end" : "attlsd drains",
			      client_text_age(gateway->deadline_ms, left));
}

static uint64_t secrets_age_ms(const struct answer_gateway *gateway)
{
	time_t now = time(NULL);

	return now > 0 && (uint64_t)now > gateway->secrets_s ? ((uint64_t)now - gateway->secrets_s) * 1000
							     : 0;
}

static void print_secrets(const struct answer_gateway *gateway, FILE *out)
{
	char age[CLIENT_AGE_MAX];

	if (gateway->secrets_s != 0)
		(void)fprintf(out, "session_ticket_keys: last changed %s ago\n",
			      client_text_age(secrets_age_ms(gateway), age));
}

void client_print_status(const struct answers *answers, FILE *out)
{
	const struct answer_gateway *gateway = &answers->gateway;
	char up[CLIENT_AGE_MAX], policy[CLIENT_AGE_MAX], failed[CLIENT_AGE_MAX];

	(void)fprintf(out, "attlsd %s%s%s, process %d, up %s%s%s\n", gateway->version,
		      gateway->node[0] != '\0' ? ", node " : "", gateway->node, (int)gateway->pid,
		      client_text_age(gateway->up_ms, up), gateway->draining ? ", draining" : "",
		      gateway->upgrading   ? ", an upgrade is under way"
		      : gateway->reloading ? ", a reload is under way"
					   : "");
	(void)fprintf(out, "policy %s, ", gateway->policy);
	if (gateway->sha256[0] != '\0')
		(void)fprintf(out, "SHA-256 %.*s, ", DIGEST_SHOWN, gateway->sha256);
	(void)fprintf(out, "generation %" PRIu64 ", in force for %s\n", gateway->generation,
		      client_text_age(gateway->policy_ms, policy));
	if (reload_has_failed(gateway))
		(void)fprintf(out, "the last reload failed %s ago: %s\n",
			      client_text_age(gateway->failure_ms, failed), gateway->failure);
	print_secrets(gateway, out);
	print_audit(gateway, out);
	print_orders(gateway, out);
	(void)fprintf(out, "%" PRIu64 " session%s, at most %" PRIu64 "\n\n", gateway->sessions,
		      gateway->sessions == 1 ? "" : "s", gateway->limit);
	(void)fprintf(out, "%8s  %10s  %-10s  %8s  %9s  %10s  %7s\n", "WORKER", "GENERATION", "STATE",
		      "SESSIONS", "TRANSFERS", "SIGNATURES", "REFUSED");
	for (size_t i = 0; i < answers->nworkers; i++) {
		const struct answer_worker *worker = &answers->workers[i].worker;

		if (answers->workers[i].of != 0)
			continue;
		(void)fprintf(out,
			      "%8d  %10" PRIu64 "  %-10s  %8" PRIu64 "  %9" PRIu32 "  %10" PRIu64
			      "  %7" PRIu64 "\n",
			      (int)worker->pid, worker->generation, client_print_state(worker->state),
			      worker->sessions, worker->transfers, worker->signatures, worker->refused);
	}
	print_older(answers, out);
	if (answers->nbackends > 0) {
		(void)fputc('\n', out);
		client_backends_print(answers, NULL, out);
	}
	client_servers_print(answers, out);
}

static json_t *reload_failed_json(const struct answer_gateway *gateway)
{
	if (!reload_has_failed(gateway))
		return json_null();
	return json_pack("{s:o,s:o}", "reason", client_json_text(gateway->failure), "ago",
			 client_json_seconds(gateway->failure_ms));
}

static json_t *maintenance_json(const struct answer_gateway *gateway)
{
	if (gateway->maintenance == 0)
		return json_null();
	return json_pack("{s:o,s:b}", "since", client_json_seconds(gateway->maintenance_ms), "refuses",
			 gateway->refusing != 0);
}

int client_json_status(const struct answers *answers, FILE *out)
{
	const struct answer_gateway *gateway = &answers->gateway;
	json_t *workers = json_array(), *older = json_array();

	for (size_t i = 0; i < answers->nolder; i++)
		(void)json_array_append_new(
		    older, json_pack("{s:i,s:I,s:o,s:I,s:i}", "pid", (int)answers->older[i].older.pid,
				     "generation", (json_int_t)answers->older[i].older.generation, "version",
				     client_json_text(answers->older[i].older.version), "sessions",
				     (json_int_t)answers->older[i].older.sessions, "workers",
				     (int)answers->older[i].older.workers));
	for (size_t i = 0; i < answers->nworkers; i++) {
		const struct answer_worker *worker = &answers->workers[i].worker;

		if (answers->workers[i].of != 0)
			continue;
		(void)json_array_append_new(
		    workers,
		    json_pack("{s:i,s:I,s:s,s:I,s:i,s:I,s:I}", "pid", (int)worker->pid, "generation",
			      (json_int_t)worker->generation, "state", client_print_state(worker->state),
			      "sessions", (json_int_t)worker->sessions, "transfers", (int)worker->transfers,
			      "signatures", (json_int_t)worker->signatures, "refused",
			      (json_int_t)worker->refused));
	}
	return json_print(
	    json_pack(
		"{s:o,s:o,s:o,s:i,s:o,s:o,s:I,s:o,s:o,s:I,s:I,s:b,s:b,s:o,s:b,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
		"version", client_json_text(gateway->version), "node",
		gateway->node[0] != '\0' ? client_json_text(gateway->node) : json_null(), "ticket_keys_age",
		gateway->secrets_s != 0 ? client_json_seconds(secrets_age_ms(gateway)) : json_null(), "pid",
		(int)gateway->pid, "policy", client_json_text(gateway->policy), "policy_sha256",
		gateway->sha256[0] != '\0' ? client_json_text(gateway->sha256) : json_null(), "generation",
		(json_int_t)gateway->generation, "up", client_json_seconds(gateway->up_ms), "in_force",
		client_json_seconds(gateway->policy_ms), "sessions", (json_int_t)gateway->sessions, "limit",
		(json_int_t)gateway->limit, "reloading", gateway->reloading != 0, "upgrading",
		gateway->upgrading != 0, "reload_failed", reload_failed_json(gateway), "draining",
		gateway->draining != 0, "readiness", readiness_word(client_ready_judge(answers)),
		"maintenance", maintenance_json(gateway), "deadline",
		gateway->deadline_ms != 0 ? client_json_seconds(gateway->deadline_ms) : json_null(),
		"workers", workers, "replaced", older, "backend_servers", client_backends_json(answers, NULL),
		"servers", client_servers_json(answers), "silent_workers", client_json_silent(answers)),
	    out);
}
