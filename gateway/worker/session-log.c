/* The only place that names a session in the log; see session-log.h. */
#include "gateway/worker/session-log.h"

#include "gateway/base/counters.h"
#include "gateway/net/stream-alert.h"
#include "policy/ip.h"

/* The rule is not known yet, or there is none. */
#define NO_RULE "none"

void session_log_write(const struct facts *facts, enum log_level level, const char *event,
		       const struct log_field *fields)
{
	char client[IP_TEXT_MAX];
	const struct log_field common[] = {
		LOG_NUMBER("session", facts->id),
		LOG_TEXT("client", ip_endpoint_format(&facts->remote, client)),
		LOG_TEXT("rule", facts->rule != NULL ? facts->rule->name : NO_RULE),
		LOG_END,
	};

	if (trace_wants(facts))
		trace_event(facts, event, fields);
	if (log_enabled(level))
		log_write_after(level, event, common, fields);
}

struct log_field session_log_key(const char *key)
{
	return (struct log_field)LOG_TEXT(key != NULL ? "key" : "", key);
}

uint32_t session_log_where(const struct facts *facts, const char *key)
{
	const struct policy_place place = { .listener = facts->listener,
					    .rule = facts->rule,
					    .user = facts->mapped };

	return facts->policy != NULL && key != NULL ? policy_where(facts->policy, &place, key) : 0;
}

struct log_field session_log_line(const struct facts *facts, const char *key)
{
	uint32_t line = session_log_where(facts, key);

	return (struct log_field)LOG_NUMBER(line != 0 ? "line" : "", line);
}

struct log_field session_log_alert(const struct stream *stream)
{
	bool ours;
	const char *alert = stream_alert_fatal(stream, &ours);

	return (struct log_field)LOG_TEXT(alert != NULL ? "alert" : "", alert);
}

struct log_field session_log_alert_from(const struct stream *stream, const char *peer)
{
	bool ours;
	bool seen = stream_alert_fatal(stream, &ours) != NULL;

	return (struct log_field)LOG_TEXT(seen ? "alert_from" : "", ours ? "gateway" : peer);
}

void session_log_lost(const struct msg *msg, const char *reason)
{
	const struct facts facts = { .id = msg->session, .remote = msg->remote };

	count(REFUSED, count_value(COUNT_LABEL_LIMIT, reason), 1);
	session_log(&facts, LOG_LEVEL_ERROR, "refused", LOG_TEXT("reason", reason));
}
