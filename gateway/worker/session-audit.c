/* Only this file decides what the audit trail says of a session; see session-audit.h. */
#include "gateway/worker/session-audit.h"

#include <stdio.h>
#include <string.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/session-log.h"
#include "policy/ip.h"

static const char *const legs[] = { [AUDIT_LEG_CLIENT] = "client", [AUDIT_LEG_SERVER] = "server" };

void session_audit_write(const struct facts *facts, const char *event, const struct audit_field *fields)
{
	char address[IP_TEXT_MAX];
	const struct audit_field common[] = {
		AUDIT_NUMBER("session", facts->id),
		AUDIT_TEXT("client_address", ip_addr_format(&facts->remote.addr, address)),
		AUDIT_NUMBER("client_port", facts->remote.port),
		AUDIT_TEXT("rule", facts->rule != NULL ? facts->rule->name : NULL),
		AUDIT_TEXT("user", facts->user),
		AUDIT_END,
	};

	if (facts->summary == NULL || facts->summary->began) /* a health check has no session */
		audit_write(event, common, fields);
}

struct audit_field session_audit_line(const struct facts *facts, const char *key)
{
	uint32_t line = session_log_where(facts, key);

	return (struct audit_field)AUDIT_NUMBER(line != 0 ? "line" : "", line);
}

void session_audit_start(const struct facts *facts)
{
	char local[IP_TEXT_MAX];

	if (facts->summary->began)
		return;
	facts->summary->began = true;
	session_audit(facts, "session-start", AUDIT_TEXT("listener", facts->listener->name),
		      AUDIT_TEXT("local_address", ip_addr_format(&facts->local.addr, local)),
		      AUDIT_NUMBER("local_port", facts->local.port),
		      AUDIT_TEXT("backend", facts->rule != NULL ? facts->rule->backend->name : NULL),
		      AUDIT_BOOL("implicit", facts->implicit), AUDIT_BOOL("proxied", facts->proxied));
}

void session_audit_end(const struct facts *facts, const char *reason, const char *key, uint64_t ms)
{
	const struct session_summary *sum = facts->summary;

	session_audit(facts, "session-end", AUDIT_TEXT("reason", reason), AUDIT_DECISION(facts, key),
		      AUDIT_NUMBER("ms", ms), AUDIT_NUMBER("logins", sum->logins),
		      AUDIT_NUMBER("logins_failed", sum->logins_failed),
		      AUDIT_NUMBER("uploads", sum->uploads), AUDIT_NUMBER("downloads", sum->downloads),
		      AUDIT_NUMBER("bytes_up", sum->bytes_up), AUDIT_NUMBER("bytes_down", sum->bytes_down),
		      AUDIT_NUMBER("changes", sum->changes), AUDIT_NUMBER("refusals", sum->refusals));
}

void session_audit_lost(const struct msg *msg, const char *reason)
{
	const struct facts facts = { .id = msg->session, .remote = msg->remote };

	session_audit(&facts, "session-refused", AUDIT_TEXT("reason", reason));
}

void session_audit_refused_proxy(const struct facts *facts, const char *reason)
{
	const struct facts balancer = { .id = facts->id, .remote = facts->remote };

	session_audit(&balancer, "session-refused", AUDIT_TEXT("listener", facts->listener->name),
		      AUDIT_TEXT("reason", reason), AUDIT_TEXT("key", "listener.proxy_protocol"));
	facts->summary->began = true;
}

void session_audit_tls(const struct facts *facts, enum audit_leg leg, bool data, const struct stream *stream,
		       const struct identity *identity)
{
	char sha256[IDENTITY_SHA256_TEXT] = "", alpn[STREAM_TLS_ALPN_MAX];
	bool shown = identity != NULL && identity->present;

	if (!audit_is_on())
		return;
	session_audit(
	    facts, "tls", AUDIT_TEXT("leg", legs[leg]), AUDIT_TEXT("connection", data ? "data" : "control"),
	    AUDIT_TEXT("version", stream_tls_version(stream)),
	    AUDIT_TEXT("cipher", stream_tls_cipher(stream)),
	    AUDIT_TEXT("level", secure_level_letter(stream_tls_level(stream))),
	    AUDIT_TEXT("group", stream_tls_group(stream)), AUDIT_BOOL("resumed", stream_tls_resumed(stream)),
	    AUDIT_TEXT("sni", leg == AUDIT_LEG_CLIENT ? stream_tls_server_name(stream) : NULL),
	    AUDIT_TEXT("alpn", stream_tls_alpn(stream, alpn)),
	    AUDIT_TEXT("certificate_subject", shown ? identity->subject : NULL),
	    AUDIT_TEXT("certificate_issuer", shown ? identity->issuer : NULL),
	    AUDIT_TEXT("certificate_serial", shown ? identity->serial : NULL),
	    AUDIT_TEXT("certificate_sha256", shown ? identity_sha256(identity, sha256) : NULL),
	    AUDIT_BOOL(shown ? "certificate_verified" : "", shown && identity->verified));
}

void session_audit_tls_failed(const struct facts *facts, enum audit_leg leg, bool data, const char *reason,
			      const char *sha256)
{
	session_audit(facts, "tls-failed", AUDIT_TEXT("leg", legs[leg]),
		      AUDIT_TEXT("connection", data ? "data" : "control"), AUDIT_TEXT("reason", reason),
		      AUDIT_TEXT("certificate_sha256", sha256));
}

void session_audit_login(const struct facts *facts, const struct identity *identity, const char *principal)
{
	char sha256[IDENTITY_SHA256_TEXT];

	facts->summary->logins++;
	session_audit(
	    facts, "login", AUDIT_TEXT("certificate_subject", identity != NULL ? identity->subject : NULL),
	    AUDIT_TEXT("certificate_sha256", identity != NULL ? identity_sha256(identity, sha256) : NULL),
	    AUDIT_TEXT("principal", principal));
}

void session_audit_login_failed(const struct facts *facts, const char *name, const char *by, const char *key)
{
	facts->summary->logins_failed++;
	session_audit(facts, "login-failed", AUDIT_TEXT("name", name), AUDIT_TEXT("by", by),
		      AUDIT_DECISION(facts, key));
}

void session_audit_refused(const struct facts *facts, const char *verb, const char *line, size_t len,
			   const char *reply, const char *key, uint32_t policy_line)
{
	char argument[AUDIT_VALUE_MAX + 2] = "";
	struct ftp_command command;
	size_t n;

	facts->summary->refusals++;
	if (!audit_is_on())
		return;
	if (line != NULL) {
		command = ftp_command_parse(line, len);
		n = ftp_argument_shown(&command);
		n = n < sizeof(argument) ? n : sizeof(argument) - 1;
		memcpy(argument, command.arg, n);
		argument[n] = '\0';
	}
	session_audit(facts, "refused-command", AUDIT_TEXT("command", verb), AUDIT_TEXT("argument", argument),
		      AUDIT_TEXT("reply", reply), AUDIT_TEXT("key", key),
		      AUDIT_NUMBER(policy_line != 0 ? "line" : "", policy_line));
}

void session_audit_would_refuse(const struct facts *facts, const char *verb, const char *reply,
				const char *key)
{
	session_audit(facts, "would-refuse", AUDIT_TEXT("command", verb), AUDIT_TEXT("reply", reply),
		      AUDIT_DECISION(facts, key));
}
