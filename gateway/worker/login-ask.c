/*
 * Keeps the name that the server has got with USER, whole, since a part of it may be another
 * user's, and sends it to the monitor with what TLS or Kerberos shows of the client. The password never
 * leaves the session.
 */
#include "gateway/worker/login-ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/login-question.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/session-audit.h"
#include "gateway/worker/session-identity.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/tally.h"
#include "policy/policy.h"

struct login_ask {
	char user[LOGIN_USER_MAX + 1]; /* "": none that can be asked about */
	struct login_answer answer;
	uint64_t asked_ms;
};

static const char login_check[] = "login_check";

void login_ask_note(struct session *session, const struct ftp_act *act)
{
	struct ftp_command command;
	size_t len;

	if (session->facts.rule->ftp->login_check == NULL)
		return;
	command = ftp_command_parse(act->text, act->len);
	if (command.verb->kind != FTP_KIND_USER)
		return;
	if (session->ask == NULL)
		session->ask = calloc(1, sizeof(*session->ask));
	if (session->ask == NULL)
		return; /* nobody is asked, and nobody let in */
	len = login_user_is_sound(command.arg, command.arg_len) ? command.arg_len : 0;
	memcpy(session->ask->user, command.arg, len);
	session->ask->user[len] = '\0';
}

static uint16_t version_of(const char *name)
{
	return name == NULL ? 0 : strcmp(name, "TLSv1.2") == 0 ? 0x0303 : 0x0304;
}

static void describe(const struct session *session, struct login_question *question)
{
	const struct identity *identity = session_identity(session);
	const char *principal = session_principal(session);
	const struct cipher *cipher;

	memcpy(question->user, session->ask->user, sizeof(question->user));
	if (session->client.ssl != NULL && session->client.tls_up) {
		cipher = cipher_find(stream_tls_cipher(&session->client));
		question->version = version_of(stream_tls_version(&session->client));
		question->cipher = cipher != NULL ? cipher->id : 0;
	}
	if (principal != NULL) {
		question->kerberos = true;
		(void)snprintf(question->subject, sizeof(question->subject), "%s", principal);
		return;
	}
	if (identity == NULL || !identity->verified)
		return;
	question->certificate = true;
	memcpy(question->sha256, identity->sha256, sizeof(question->sha256));
	if (identity->subject != NULL && strlen(identity->subject) <= LOGIN_SUBJECT_MAX)
		memcpy(question->subject, identity->subject, strlen(identity->subject) + 1);
}

/* Write what has become of a question: a word (why there is no answer), or the text of a denial. */
static void tell(struct session *session, enum login_verdict verdict, const char *text)
{
	static const char *const words[] = {
		[LOGIN_NO_ANSWER] = "none", [LOGIN_ALLOWED] = "allow", [LOGIN_DENIED] = "deny"
	};
	uint64_t ms = session->ask == NULL ? 0 : session->worker->loop.now_ms - session->ask->asked_ms;
	const char *key = verdict == LOGIN_NO_ANSWER		       ? "reason"
			  : verdict == LOGIN_DENIED && text[0] != '\0' ? "text"
								       : "";

	tally_login_check(words[verdict]);
	session_log(&session->facts,
		    verdict == LOGIN_NO_ANSWER ? LOG_LEVEL_WARNING
		    : verdict == LOGIN_DENIED  ? LOG_LEVEL_INFO
					       : LOG_LEVEL_DEBUG,
		    "login-check", LOG_TEXT("user", session->login_name), LOG_TEXT("answer", words[verdict]),
		    LOG_TEXT(key, text), LOG_NUMBER("ms", ms), LOG_DECISION(&session->facts, login_check));
	session_audit(&session->facts, "login-check", AUDIT_TEXT("name", session->login_name),
		      AUDIT_TEXT("answer", words[verdict]), AUDIT_TEXT(key, text), AUDIT_NUMBER("ms", ms),
		      AUDIT_DECISION(&session->facts, login_check));
}

static void take(struct session *session, enum login_verdict verdict, const char *text)
{
	static const enum ftp_check checks[] = { [LOGIN_NO_ANSWER] = FTP_CHECK_FAILED,
						 [LOGIN_ALLOWED] = FTP_CHECK_ALLOWED,
						 [LOGIN_DENIED] = FTP_CHECK_DENIED };

	tell(session, verdict, text);
	ftp_machine_login_checked(&session->machine, checks[verdict], text);
}

void login_ask(struct session *session)
{
	struct login_question question = { .certificate = false };
	/* behind a load balancer, only the worker knows which rule it is */
	struct msg msg = { .type = MSG_LOGIN_CHECK,
			   .session = session->facts.id,
			   .purpose = (uint32_t)(session->facts.rule - session->facts.policy->rules) };
	size_t at = 0;

	if (session->ask != NULL)
		session->ask->asked_ms = session->worker->loop.now_ms;
	if (session->ask == NULL || session->ask->user[0] == '\0') {
		take(session, LOGIN_NO_ANSWER, session->ask == NULL ? "no-memory" : "user-not-askable");
		return;
	}
	describe(session, &question);
	while (login_question_part(&question, &at, &msg.login_part))
		uplink_send(&session->worker->uplink, &msg);
}

void login_ask_answered(struct session *session, const struct msg *msg)
{
	if (session->ask == NULL || !ftp_machine_awaits_check(&session->machine))
		return;
	session->ask->answer = msg->login_answer;
	session->ask->answer.text[LOGIN_TEXT_MAX - 1] = '\0';
	take(session,
	     msg->error == 0	     ? LOGIN_ALLOWED
	     : msg->error == -EACCES ? LOGIN_DENIED
				     : LOGIN_NO_ANSWER,
	     session->ask->answer.text);
}
