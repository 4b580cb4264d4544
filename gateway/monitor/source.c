#include "gateway/monitor/source.h"

#include <errno.h>

#include "gateway/base/log.h"

bool request_admission(struct admission *admission, struct child *child, const struct msg *msg,
		       uint64_t now_ms)
{
	const struct policy_daemon *limits = &child->generation->policy->daemon;
	const struct ip_addr *source = &msg->remote.addr;
	struct msg answer = { .type = MSG_SESSION_ADMITTED, .session = msg->session };
	const char *limit = "no-memory";
	char text[IP_TEXT_MAX];
	int r = admission_source(admission, limits, msg->session, child, source, &limit);

	if (r == -ENOENT)
		return false;
	if (r == 0) {
		answer.failures = admission_failures(admission, source, now_ms);
	} else {
		answer.type = MSG_SESSION_REFUSED;
		log_event(LOG_LEVEL_INFO, "refused", LOG_NUMBER("session", msg->session),
			  LOG_TEXT("client", ip_endpoint_format(&msg->remote, text)),
			  LOG_TEXT("reason", limit));
	}
	(void)msg_send(child->channel.fd, &answer, -1); /* without an answer the session ends in time */
	return true;
}
