/*
 * A client that has sent AUTH GSSAPI gets a security context by ADAT, and protects each
 * command. Nothing that came in the clear counts after that, and a command that
 * is not the next one of the client's ends the session.
 */
#include "gateway/worker/control-gssapi.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/gssapi/base64.h"
#include "gateway/gssapi/link.h"
#include "gateway/net/linebuf.h"
#include "gateway/tls/users.h"
#include "gateway/worker/session-audit.h"
#include "gateway/worker/session-end.h"
#include "gateway/worker/session-gssapi.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/tally.h"

/* "ADAT" and the longest token. A buffer holds this and the end of the line. */
#define TOKEN_LINE_MAX	  (8 + BASE64_CHARS(GSSAPI_TOKEN_MAX))
#define TOKEN_INBUF_BYTES (TOKEN_LINE_MAX + 2)

void control_gssapi_begin(struct session *session)
{
	session_gssapi_forget(session);
	inbuf_widen(&session->client_in, TOKEN_INBUF_BYTES);
	session->gssapi = calloc(1, sizeof(*session->gssapi));
	if (session->gssapi == NULL)
		session_end(session, "no-memory");
}

void control_gssapi_stop(struct session *session)
{
	session_gssapi_forget(session);
}

size_t control_gssapi_line_max(const struct session *session)
{
	return ftp_machine_takes_tokens(&session->machine) ? TOKEN_LINE_MAX : FTP_LINE_MAX;
}

static void refuse(struct session *session, enum ftp_adat result, const char *why)
{
	tally_gssapi(false);
	session_log(&session->facts, LOG_LEVEL_INFO, "gssapi-failed", LOG_TEXT("reason", why));
	session_audit(&session->facts, "gssapi-failed", AUDIT_TEXT("reason", why));
	ftp_machine_adat(&session->machine, result, "", &session->worker->out);
}

/* There is a context. Whose it is will be logged when the client has shown that it holds the key. */
static void accepted(struct session *session, const struct gssapi_answer *answer, const char *token)
{
	struct control_gssapi *gssapi = session->gssapi;
	struct ftp_identity known = { .server_name = NULL };

	if (inbuf_len(&session->client_in) > 0) { /* it cannot be protected: an attacker may have sent it */
		session->worker->replies.len = 0;
		session->worker->commands.len = 0;
		session_end(session, "plaintext-after-adat");
		return;
	}
	if (gssapi_context_import(answer->context, answer->context_len, &gssapi->context) < 0) {
		refuse(session, FTP_ADAT_REFUSED, "the context cannot be used");
		return;
	}
	memcpy(gssapi->principal, answer->principal, sizeof(gssapi->principal));
	users_identify_principal(session->worker->users, gssapi->principal, session->facts.rule->backend,
				 &known);
	gssapi->user = known.user;
	session->facts.gssapi = gssapi->context;
	ftp_machine_identify(&session->machine, &known);
	ftp_machine_adat(&session->machine, FTP_ADAT_DONE, token, &session->worker->out);
	control_gssapi_look(session);
}

static void take_answer(struct session *session, const struct gssapi_answer *answer)
{
	char token[BASE64_CHARS(GSSAPI_REPLY_MAX) + 1];

	_Static_assert(sizeof(token) <= FTP_ADAT_TOKEN_MAX, "the machine has room for it");
	base64_encode(answer->token, answer->token_len, token);
	switch ((enum gssapi_status)answer->status) {
	case GSSAPI_STATUS_DONE:
		accepted(session, answer, token);
		return;
	case GSSAPI_STATUS_MORE:
		session->gssapi->half = answer->half;
		ftp_machine_adat(&session->machine, FTP_ADAT_MORE, token, &session->worker->out);
		return;
	case GSSAPI_STATUS_REFUSED:
		break;
	}
	refuse(session, FTP_ADAT_REFUSED, answer->why);
}

void control_gssapi_accept(struct session *session, const struct ftp_act *act)
{
	struct gssapi_link *link = session->worker->gssapi;
	uint8_t bytes[BASE64_BYTES(BASE64_CHARS(GSSAPI_TOKEN_MAX))];
	const struct gssapi_answer *answer;
	const char *why;
	size_t len;

	if (act->len == 0 || act->len > BASE64_CHARS(GSSAPI_TOKEN_MAX) ||
	    base64_decode(act->text, act->len, bytes, &len) < 0 || len > GSSAPI_TOKEN_MAX) {
		refuse(session, FTP_ADAT_BAD, "the argument of ADAT is not in base 64");
		return;
	}
	answer = gssapi_link_ask(link, session->gssapi->half, bytes, len, &why);
	session->gssapi->half = 0;
	if (answer == NULL)
		refuse(session, FTP_ADAT_REFUSED, why);
	else
		take_answer(session, answer);
	gssapi_link_forget(link);
}

/* The first message that only the holder of the ticket can have made. */
static void is_proven(struct session *session)
{
	struct control_gssapi *gssapi = session->gssapi;
	const char *user = gssapi->user;

	session->facts.principal = gssapi->principal;
	tally_gssapi(true);
	session_log(&session->facts, LOG_LEVEL_INFO, "gssapi", LOG_TEXT("principal", gssapi->principal),
		    LOG_TEXT("user", user != NULL ? user : ""),
		    LOG_TEXT("users", user != NULL ? "one" : "none"));
	session_audit(&session->facts, "gssapi", AUDIT_TEXT("principal", gssapi->principal));
}

static const struct {
	const char *verb;
	enum ftp_prot level;
} envelopes[] = {
	{ "MIC", FTP_PROT_SAFE },
	{ "CONF", FTP_PROT_CONFIDENTIAL },
	{ "ENC", FTP_PROT_PRIVATE },
};

/* FTP_PROT_CLEAR: it is not protected. */
static enum ftp_prot level_of(const struct ftp_command *command)
{
	for (size_t i = 0; i < sizeof(envelopes) / sizeof(envelopes[0]); i++)
		if (strcmp(command->verb->name, envelopes[i].verb) == 0)
			return envelopes[i].level;
	return FTP_PROT_CLEAR;
}

/*
 * Between the blocks of an upload, only such commands may come as it makes sense to send then. Somebody on
 * the network could put a block in the place of a command.
 */
static bool fits_upload(const struct session *session, const struct ftp_line *line)
{
	struct ftp_command command = ftp_command_parse(line->text, line->len);

	return !data_conn_is_protected_upload(&session->data) ||
	       (command.verb->flags & FTP_VERB_DURING_TRANSFER) != 0;
}

/* The command in the token: some clients send its end of line with it, some a NUL. */
static bool take_out(uint8_t *bytes, size_t len, struct ftp_line *line)
{
	struct ftp_line inner;

	if (len > 0 && bytes[len - 1] == '\0')
		len--;
	if (len > 0 && bytes[len - 1] == '\n')
		len--;
	if (len > 0 && bytes[len - 1] == '\r')
		len--;
	bytes[len] = '\r'; /* the token had more bytes than this, and its text more still */
	bytes[len + 1] = '\n';
	if (ftp_line_take(bytes, len + 2, &inner) != FTP_LINE_OK || inner.consumed != len + 2)
		return false;
	line->text = inner.text;
	line->len = inner.len;
	return true;
}

struct envelope control_gssapi_open(struct session *session, struct ftp_line *line)
{
	struct ftp_command command = ftp_command_parse(line->text, line->len);
	struct envelope envelope = { .level = FTP_PROT_CLEAR };
	/* the line is in the session's own buffer, and the token is shorter than its text */
	uint8_t *bytes = (uint8_t *)(uintptr_t)command.arg;
	enum gssapi_result result;
	size_t len;

	if (!ftp_machine_has_gssapi(&session->machine) || level_of(&command) == FTP_PROT_CLEAR)
		return envelope;
	envelope.level = level_of(&command);
	envelope.fault = FTP_ENVELOPE_BAD;
	envelope.faulty =
	    command.arg_len == 0 || base64_decode(command.arg, command.arg_len, bytes, &len) < 0;
	if (envelope.faulty)
		return envelope;
	result =
	    gssapi_context_unwrap(session->gssapi->context, envelope.level != FTP_PROT_SAFE, bytes, &len);
	if (result == GSSAPI_FINE && session->facts.principal == NULL)
		is_proven(session);
	envelope.faulty = result != GSSAPI_FINE || !take_out(bytes, len, line);
	if (result == GSSAPI_FINE && (envelope.faulty || fits_upload(session, line)))
		return envelope;
	envelope.faulty = true;
	envelope.fault = result == GSSAPI_DEFECTIVE ? FTP_ENVELOPE_REFUSED : FTP_ENVELOPE_SEQUENCE;
	session_log(&session->facts, LOG_LEVEL_WARNING, "gssapi-attack",
		    LOG_TEXT("reason", result == GSSAPI_DEFECTIVE ? "not-this-client" : "out-of-sequence"));
	return envelope;
}

enum ftp_take control_gssapi_offer(struct session *session, const struct ftp_line *line,
				   const struct envelope *envelope)
{
	struct ftp_out *out = &session->worker->out;

	if (envelope->faulty)
		return ftp_machine_bad_envelope(&session->machine, envelope->fault, out);
	return ftp_machine_protected(&session->machine, envelope->level, line->text, line->len, out);
}

void control_gssapi_look(struct session *session)
{
	if (session->gssapi != NULL && ftp_machine_has_gssapi(&session->machine))
		session->gssapi->level = ftp_machine_reply_level(&session->machine);
}

static const char *const codes[] = {
	[FTP_PROT_SAFE] = "631 ",
	[FTP_PROT_CONFIDENTIAL] = "633 ",
	[FTP_PROT_PRIVATE] = "632 ",
};

/* Each line of a reply is a message of its own, with its end of line, as other servers send it. */
static void send_line(struct session *session)
{
	struct control_gssapi *gssapi = session->gssapi;
	uint8_t token[sizeof(gssapi->line) + CONTROL_GSSAPI_OVERHEAD];
	char text[4 + BASE64_CHARS(sizeof(token)) + 1];
	size_t len;

	if (gssapi_context_wrap(gssapi->context, gssapi->level != FTP_PROT_SAFE, gssapi->line,
				gssapi->line_len, token, sizeof(token), &len) != GSSAPI_FINE) {
		session_end(session, "gssapi-failed");
		return;
	}
	gssapi->line_len = 0;
	memcpy(text, codes[gssapi->level], 4);
	base64_encode(token, len, text + 4);
	outbuf_add(&session->worker->replies, &session->client, text, strlen(text), true);
}

static bool collect(struct session *session, const char *text, size_t len)
{
	struct control_gssapi *gssapi = session->gssapi;

	if (gssapi->line_len + len > sizeof(gssapi->line)) {
		session_end(session, "reply-too-long"); /* a part of it might mean something else */
		return false;
	}
	memcpy(gssapi->line + gssapi->line_len, text, len);
	gssapi->line_len += len;
	return true;
}

void control_gssapi_reply(struct session *session, const struct ftp_act *act)
{
	const char *at = act->text, *end = act->text + act->len, *lf;

	while (!session->ended && (lf = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (!collect(session, at, (size_t)(lf + 1 - at)))
			return;
		send_line(session);
		at = lf + 1;
	}
	if (session->ended || !collect(session, at, (size_t)(end - at)) || act->goes_on)
		return;
	if (collect(session, "\r\n", 2))
		send_line(session);
}
