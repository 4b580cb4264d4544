/*
 * The events of a session in the audit trail. All of them name the session, its client, rule and
 * user. What log lines say as well is said in both by the same function of the caller.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_AUDIT_H
#define ATTLSD_GATEWAY_WORKER_SESSION_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/audit.h"
#include "gateway/base/msg.h"
#include "gateway/net/stream.h"
#include "gateway/worker/facts.h"

struct summary_detail;

/* What a session has done, for its last events. */
struct session_summary {
	bool began; /* its first event is written */
	uint64_t uploads, downloads;
	uint64_t bytes_up, bytes_down;
	uint64_t changes, refusals, logins, logins_failed;
	struct summary_detail *detail; /* of session-summary.c; NULL: nothing is collected */
};

/* As audit_event(), for a session with these facts. */
#define session_audit(facts, event, ...)                                                                     \
	do {                                                                                                 \
		if (audit_is_on())                                                                           \
			session_audit_write(facts, event,                                                    \
					    (const struct audit_field[]){ __VA_ARGS__, AUDIT_END });         \
	} while (0)

void session_audit_write(const struct facts *facts, const char *event, const struct audit_field *fields);

void session_audit_start(const struct facts *facts);
void session_audit_end(const struct facts *facts, const char *reason, const char *key, uint64_t ms);

/* The PROXY header is at fault, so the session does not begin. */
void session_audit_refused_proxy(const struct facts *facts, const char *reason);

/* A session that could not begin (MSG_SESSION). */
void session_audit_lost(const struct msg *msg, const char *reason);

enum audit_leg { AUDIT_LEG_CLIENT, AUDIT_LEG_SERVER };

/* A handshake has succeeded. identity: what the peer has shown; NULL: do not name it again. */
void session_audit_tls(const struct facts *facts, enum audit_leg leg, bool data, const struct stream *stream,
		       const struct identity *identity);

/* A handshake has failed, or what it has agreed on is refused. */
void session_audit_tls_failed(const struct facts *facts, enum audit_leg leg, bool data, const char *reason,
			      const char *sha256);

/* identity, principal: who the client is; NULL: not known. */
void session_audit_login(const struct facts *facts, const struct identity *identity, const char *principal);
void session_audit_login_failed(const struct facts *facts, const char *name, const char *by, const char *key);

/* It would have been refused, in a rule with `action: audit`. */
void session_audit_would_refuse(const struct facts *facts, const char *verb, const char *reply,
				const char *key);

/* A command that the gateway has refused: its line (NULL: not known), the reply, and the policy's key (NULL:
 * none) and line (0: none) that decided. */
void session_audit_refused(const struct facts *facts, const char *verb, const char *line, size_t len,
			   const char *reply, const char *key, uint32_t policy_line);

/* The policy's key that decided (NULL: none), and the line that gives it. */
#define AUDIT_DECISION(facts, key) AUDIT_TEXT("key", key), session_audit_line(facts, key)
struct audit_field session_audit_line(const struct facts *facts, const char *key);

#endif
