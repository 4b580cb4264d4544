/*
 * The log lines of a session. Each begins with the same three fields, in this order:
 * session=, client= and rule=. So each line is complete in itself, even for
 * a program that reads one line at a time, such as fail2ban.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_LOG_H
#define ATTLSD_GATEWAY_WORKER_SESSION_LOG_H

#include "gateway/base/log.h"
#include "gateway/base/msg.h"
#include "gateway/net/stream.h"
#include "gateway/worker/facts.h"
#include "gateway/worker/trace.h"

/* As log_event(), and into the trace at any level, for a session with these facts. LOG_END stands for "no
 * more fields". */
#define session_log(facts, level, event, ...)                                                                \
	do {                                                                                                 \
		if (log_enabled(level) || trace_wants(facts))                                                \
			session_log_write(facts, level, event,                                               \
					  (const struct log_field[]){ __VA_ARGS__, LOG_END });               \
	} while (0)

/*
 * Two fields of session_log(): the key of the policy that decided, as policy-where.h writes it,
 * and the line that gives it. No key (NULL), no field; a default has no line.
 */
#define LOG_DECISION(facts, key) session_log_key(key), session_log_line(facts, key)
struct log_field session_log_key(const char *key);
struct log_field session_log_line(const struct facts *facts, const char *key);
/* That line, counted from 1; 0: the key has its default, or there is none. */
uint32_t session_log_where(const struct facts *facts, const char *key);

/*
 * Two more: the fatal alert that ended the TLS of a stream, and who has sent it: attlsd or `peer`
 * ("client", "server"). Without an alert, no fields.
 */
#define LOG_ALERT(stream, peer) session_log_alert(stream), session_log_alert_from(stream, peer)
struct log_field session_log_alert(const struct stream *stream);
struct log_field session_log_alert_from(const struct stream *stream, const char *peer);

void session_log_write(const struct facts *facts, enum log_level level, const char *event,
		       const struct log_field *fields);

/* A session that could not begin (MSG_SESSION). */
void session_log_lost(const struct msg *msg, const char *reason);

#endif
