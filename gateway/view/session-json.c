/*
 * Makes the JSON of sessions. What is not known is null, so that a script can tell it
 * from zero.
 */
#include "gateway/view/session-json.h"

#include <string.h>

#include "gateway/view/client-json.h"
#include "gateway/view/json-print.h"
#include "gateway/view/session-words.h"

static json_t *letter(char c)
{
	return c != '\0' ? client_json_text((const char[]){ c, '\0' }) : json_null();
}

static json_t *leg_json(const struct answer_leg *leg)
{
	bool secured = leg->cipher[0] != '\0';
	const char *way = session_way(leg);

	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "control", letter(leg->control), "tls",
			 client_json_or_null(leg->tls[0] != '\0', client_json_text(leg->tls)), "cipher",
			 client_json_or_null(secured, client_json_text(leg->cipher)), "group",
			 client_json_or_null(leg->group[0] != '\0', client_json_text(leg->group)), "resumed",
			 client_json_or_null(secured, json_boolean(leg->resumed)), "data", letter(leg->data),
			 "mode", client_json_or_null(way[0] != '\0', json_string(way)), "told",
			 client_json_endpoint(&leg->told), "peer", client_json_endpoint(&leg->peer));
}

static json_t *transfer(const struct answer_session *session)
{
	const struct answer_leg *client = &session->client_leg, *server = &session->server_leg;
	bool both = session->server_name[0] != '\0' && server->data != '\0';
	int percent = session_percent(session);
	uint64_t left_ms = 0;
	bool ends = session_left(session, &left_ms);
	json_t *json;

	if (session->transfer[0] == '\0')
		return json_null();
	/* data that is "S" is safe from changes, not from readers */
	json = json_pack("{s:o,s:o,s:o,s:b,s:I,s:o}", "command", client_json_text(session->transfer), "prot",
			 letter(client->data), "server_prot", both ? letter(server->data) : json_null(),
			 "protected", client->data == 'P', "bytes", (json_int_t)session->bytes, "age",
			 client_json_seconds(session->transfer_ms));
	if (json == NULL)
		return NULL;
	(void)json_object_set_new(json, "direction", json_string(session->upload ? "upload" : "download"));
	(void)json_object_set_new(
	    json, "file",
	    client_json_or_null(session_file(session)[0] != '\0', client_json_text(session_file(session))));
	(void)json_object_set_new(json, "rate", json_integer((json_int_t)session->rate));
	(void)json_object_set_new(
	    json, "size", client_json_or_null(session->size_known, json_integer((json_int_t)session->size)));
	(void)json_object_set_new(json, "percent", client_json_or_null(percent >= 0, json_integer(percent)));
	(void)json_object_set_new(json, "left", client_json_or_null(ends, client_json_seconds(left_ms)));
	return json;
}

static json_t *certificate(const struct answer_session *session)
{
	if (session->sha256[0] == '\0')
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:o}", "subject", client_json_text(session->subject), "issuer",
			 client_json_text(session->issuer), "serial", client_json_text(session->serial),
			 "sha256", client_json_text(session->sha256));
}

/* TLS with the server, where policy wants it. */
static json_t *server_tls(const struct answer_session *session)
{
	const struct answer_leg *leg = &session->server_leg;

	if (session->server_name[0] == '\0')
		return json_null();
	return json_pack(
	    "{s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "hostname", client_json_text(session->server_name), "version",
	    client_json_or_null(leg->tls[0] != '\0', client_json_text(leg->tls)), "cipher",
	    client_json_or_null(leg->cipher[0] != '\0', client_json_text(leg->cipher)), "group",
	    client_json_or_null(leg->group[0] != '\0', client_json_text(leg->group)), "issuer",
	    client_json_or_null(session->server_issuer[0] != '\0', client_json_text(session->server_issuer)),
	    "sha256",
	    client_json_or_null(session->server_sha256[0] != '\0', client_json_text(session->server_sha256)),
	    "resumed", leg->resumed);
}

static json_t *generation_of(const struct answers *answers, int32_t pid)
{
	for (size_t i = 0; i < answers->nworkers; i++)
		if (answers->workers[i].worker.pid == pid)
			return json_integer((json_int_t)answers->workers[i].worker.generation);
	return json_null();
}

json_t *client_json_session(const struct answers *answers, const struct answer_session *session)
{
	bool ruled = session->rule[0] != '\0';
	json_t *json = json_pack(
	    "{s:I,s:o,s:o,s:o,s:o,s:o}", "session", (json_int_t)session->session, "client",
	    client_json_endpoint(&session->remote), "dialled", client_json_endpoint(&session->local),
	    "listener", client_json_text(session->listener), "age", client_json_seconds(session->age_ms),
	    "idle", client_json_seconds(session->idle_ms));

	if (json == NULL)
		return NULL;
	(void)json_object_set_new(json, "rule", client_json_or_null(ruled, client_json_text(session->rule)));
	(void)json_object_set_new(json, "backend",
				  client_json_or_null(ruled, client_json_text(session->backend)));
	(void)json_object_set_new(json, "server",
				  client_json_or_null(ruled, client_json_endpoint(&session->server)));
	(void)json_object_set_new(
	    json, "user", client_json_or_null(session->user[0] != '\0', client_json_text(session->user)));
	(void)json_object_set_new(json, "tls",
				  client_json_or_null(session->client_leg.tls[0] != '\0',
						      client_json_text(session->client_leg.tls)));
	(void)json_object_set_new(json, "cipher",
				  client_json_or_null(session->client_leg.cipher[0] != '\0',
						      client_json_text(session->client_leg.cipher)));
	(void)json_object_set_new(json, "server_tls", server_tls(session));
	(void)json_object_set_new(json, "certificate", certificate(session));
	(void)json_object_set_new(json, "transfer", transfer(session));
	(void)json_object_set_new(
	    json, "command",
	    client_json_or_null(session->command[0] != '\0', client_json_text(session->command)));
	(void)json_object_set_new(json, "legs",
				  json_pack("{s:o,s:o}", "client", leg_json(&session->client_leg), "server",
					    leg_json(&session->server_leg)));
	(void)json_object_set_new(
	    json, "waits_at",
	    client_json_or_null(session->client_leg.waits, client_json_endpoint(&session->client_leg.told)));
	(void)json_object_set_new(json, "worker", json_integer(session->worker));
	(void)json_object_set_new(json, "generation", generation_of(answers, session->worker));
	return json;
}

int client_json_sessions(const struct answers *answers, FILE *out)
{
	json_t *list = json_array(), *silent = client_json_silent(answers);

	for (size_t i = 0; i < answers->nsessions; i++)
		(void)json_array_append_new(list, client_json_session(answers, &answers->sessions[i]));
	return json_print(json_pack("{s:b,s:o,s:o}", "whole", json_array_size(silent) == 0, "silent_workers",
				    silent, "sessions", list),
			  out);
}
