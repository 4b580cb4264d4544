/*
 * Writes the JSON of sessions. What is not known is null, so that a script can tell it
 * from zero.
 */
#include "gateway/view/session-json.h"

#include "gateway/view/session-words.h"

/* The value of `key` if it is known, otherwise null. */
#define IF_KNOWN(known, writer, key, write)                                                                  \
	do {                                                                                                 \
		if (known)                                                                                   \
			write;                                                                               \
		else                                                                                         \
			json_write_null(writer, key);                                                        \
	} while (0)

static void letter(struct json_writer *to, const char *key, char c)
{
	json_write_text(to, key, (const char[]){ c, '\0' });
}

static void leg(struct json_writer *to, const char *key, const struct answer_leg *shown)
{
	bool secured = shown->cipher[0] != '\0';

	json_write_open(to, key, '{');
	letter(to, "control", shown->control);
	json_write_text(to, "tls", shown->tls);
	json_write_text(to, "cipher", shown->cipher);
	json_write_text(to, "group", shown->group);
	IF_KNOWN(secured, to, "resumed", json_write_bool(to, "resumed", shown->resumed));
	letter(to, "data", shown->data);
	json_write_text(to, "mode", session_way(shown));
	json_write_endpoint(to, "told", &shown->told);
	json_write_endpoint(to, "peer", &shown->peer);
	json_write_close(to, '}');
}

static void transfer(struct json_writer *to, const struct answer_session *session)
{
	const struct answer_leg *client = &session->client_leg, *server = &session->server_leg;
	int percent = session_percent(session);
	uint64_t left_ms = 0;
	bool ends = session_left(session, &left_ms);

	if (session->transfer[0] == '\0') {
		json_write_null(to, "transfer");
		return;
	}
	json_write_open(to, "transfer", '{');
	json_write_text(to, "command", session->transfer);
	letter(to, "prot", client->data);
	letter(to, "server_prot", session->server_name[0] != '\0' ? server->data : '\0');
	/* data that is "S" is safe from changes, not from readers */
	json_write_bool(to, "protected", client->data == 'P');
	json_write_number(to, "bytes", session->bytes);
	json_write_seconds(to, "age", session->transfer_ms);
	json_write_text(to, "direction", session->upload ? "upload" : "download");
	json_write_text(to, "file", session_file(session));
	json_write_number(to, "rate", session->rate);
	IF_KNOWN(session->size_known, to, "size", json_write_number(to, "size", session->size));
	IF_KNOWN(percent >= 0, to, "percent", json_write_number(to, "percent", (uint64_t)percent));
	IF_KNOWN(ends, to, "left", json_write_seconds(to, "left", left_ms));
	json_write_close(to, '}');
}

static void certificate(struct json_writer *to, const struct answer_session *session)
{
	if (session->sha256[0] == '\0') {
		json_write_null(to, "certificate");
		return;
	}
	json_write_open(to, "certificate", '{');
	json_write_string(to, "subject", session->subject);
	json_write_string(to, "issuer", session->issuer);
	json_write_string(to, "serial", session->serial);
	json_write_string(to, "sha256", session->sha256);
	json_write_close(to, '}');
}

/* TLS with the server, where policy wants it. */
static void server_tls(struct json_writer *to, const struct answer_session *session)
{
	const struct answer_leg *shown = &session->server_leg;

	if (session->server_name[0] == '\0') {
		json_write_null(to, "server_tls");
		return;
	}
	json_write_open(to, "server_tls", '{');
	json_write_text(to, "hostname", session->server_name);
	json_write_text(to, "version", shown->tls);
	json_write_text(to, "cipher", shown->cipher);
	json_write_text(to, "group", shown->group);
	json_write_text(to, "issuer", session->server_issuer);
	json_write_text(to, "sha256", session->server_sha256);
	json_write_bool(to, "resumed", shown->resumed);
	json_write_close(to, '}');
}

static void generation(struct json_writer *to, const struct answers *answers, int32_t pid)
{
	for (size_t i = 0; i < answers->nworkers; i++)
		if (answers->workers[i].worker.pid == pid) {
			json_write_number(to, "generation", answers->workers[i].worker.generation);
			return;
		}
	json_write_null(to, "generation");
}

void session_json_write(struct json_writer *to, const struct answers *answers,
			const struct answer_session *session)
{
	static const struct ip_endpoint nowhere = { .port = 0 };
	bool ruled = session->rule[0] != '\0';

	json_write_open(to, NULL, '{');
	json_write_number(to, "session", session->session);
	json_write_endpoint(to, "client", &session->remote);
	json_write_endpoint(to, "dialled", &session->local);
	json_write_string(to, "listener", session->listener);
	json_write_seconds(to, "age", session->age_ms);
	json_write_seconds(to, "idle", session->idle_ms);
	json_write_text(to, "rule", session->rule);
	IF_KNOWN(ruled, to, "backend", json_write_string(to, "backend", session->backend));
	json_write_endpoint(to, "server", ruled ? &session->server : &nowhere);
	json_write_text(to, "user", session->user);
	json_write_text(to, "tls", session->client_leg.tls);
	json_write_text(to, "cipher", session->client_leg.cipher);
	server_tls(to, session);
	certificate(to, session);
	json_write_text(to, "principal", session->principal);
	transfer(to, session);
	json_write_text(to, "command", session->command);
	json_write_open(to, "legs", '{');
	leg(to, "client", &session->client_leg);
	leg(to, "server", &session->server_leg);
	json_write_close(to, '}');
	json_write_endpoint(to, "waits_at", session->client_leg.waits ? &session->client_leg.told : &nowhere);
	json_write_number(to, "worker", (uint64_t)session->worker);
	generation(to, answers, session->worker);
	json_write_close(to, '}');
}

static int to_file(const char *bytes, size_t len, void *out)
{
	return fwrite(bytes, 1, len, out) == len ? 0 : -1;
}

int client_json_sessions(const struct answers *answers, FILE *out)
{
	struct json_writer to;
	bool whole = true;

	json_write_begin(&to, to_file, out, true);
	for (size_t i = 0; i < answers->nworkers; i++)
		whole = whole && !client_is_silent(&answers->workers[i]);
	json_write_open(&to, NULL, '{');
	json_write_bool(&to, "whole", whole);
	json_write_open(&to, "silent_workers", '[');
	for (size_t i = 0; i < answers->nworkers; i++)
		if (client_is_silent(&answers->workers[i]))
			json_write_number(&to, NULL, (uint64_t)answers->workers[i].worker.pid);
	json_write_close(&to, ']');
	json_write_open(&to, "sessions", '[');
	for (size_t i = 0; i < answers->nsessions; i++)
		session_json_write(&to, answers, &answers->sessions[i]);
	json_write_close(&to, ']');
	json_write_close(&to, '}');
	return json_write_end(&to) == 0 && fputc('\n', out) != EOF ? 0 : -1;
}
