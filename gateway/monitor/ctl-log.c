/*
 * Logs what is ordered through control_socket, and by whom: the user of the process, and
 * the one who logged in first.
 */
#include "gateway/monitor/ctl-log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/audit.h"
#include "gateway/base/log.h"
#include "gateway/base/util.h"

/* Refused orders are logged once in this time: whoever may only ask must not fill the log. */
#define REFUSED_PAUSE_MS 1000

/* The user who logged in, before sudo and su; UINT32_MAX: not known. */
static uint32_t audit_uid(pid_t pid)
{
	char path[40], text[16];
	uint32_t uid = UINT32_MAX;
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/loginuid", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);
	fd_close(&fd);
	if (n > 0) {
		text[n] = '\0';
		uid = (uint32_t)strtoul(text, NULL, 10);
	}
	return uid;
}

struct sender {
	char uid[16], login[16];
	uint64_t pid;
};

static void describe_sender(const struct ucred *who, struct sender *sender)
{
	uint32_t first = audit_uid(who->pid);

	*sender = (struct sender){ .uid = "unknown", .login = "unknown", .pid = (uint64_t)who->pid };
	if (who->uid != (uid_t)-1)
		(void)snprintf(sender->uid, sizeof(sender->uid), "%u", (unsigned)who->uid);
	if (first != UINT32_MAX)
		(void)snprintf(sender->login, sizeof(sender->login), "%u", (unsigned)first);
}

static void find_sender(int fd, struct sender *sender)
{
	struct ucred who = { .pid = 0, .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);

	/* if it fails, who stays unknown */
	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
	describe_sender(&who, sender);
}

void ctl_log_order(int fd, const char *name, const struct ask *ask)
{
	struct sender sender;
	char order[96 + sizeof(ask->filter.backend) + sizeof(ask->server)];
	int n = snprintf(order, sizeof(order), "%s", name);

	if (ask->session != 0)
		n += snprintf(order + n, sizeof(order) - (size_t)n, " %" PRIu64, ask->session);
	if (ask->refuse != 0)
		n += snprintf(order + n, sizeof(order) - (size_t)n, ", refuse");
	if (ask->seconds != 0)
		(void)snprintf(order + n, sizeof(order) - (size_t)n, ", end after %" PRIu32 " s",
			       ask->seconds);
	if (ask->server[0] != '\0')
		(void)snprintf(order + n, sizeof(order) - (size_t)n, " %s %s", ask->filter.backend,
			       ask->server);
	find_sender(fd, &sender);
	log_write(LOG_LEVEL_INFO, "operator",
		  (const struct log_field[]){ LOG_TEXT("order", order),
					      LOG_TEXT("uid", sender.uid),
					      LOG_TEXT("login", sender.login),
					      LOG_NUMBER("pid", sender.pid),
					      { 0 } });
	audit_event("order", AUDIT_TEXT("order", order), AUDIT_TEXT("uid", sender.uid),
		    AUDIT_TEXT("login_uid", sender.login), AUDIT_NUMBER("operator_pid", sender.pid));
}

void ctl_log_refused(int fd, const struct ucred *who, const char *reason, uint64_t now_ms, uint64_t *last_ms)
{
	struct sender sender;

	if (*last_ms != 0 && now_ms - *last_ms < REFUSED_PAUSE_MS)
		return;
	*last_ms = now_ms;
	if (who != NULL)
		describe_sender(who, &sender);
	else
		find_sender(fd, &sender);
	log_event(LOG_LEVEL_WARNING, "operator-refused", LOG_TEXT("reason", reason),
		  LOG_TEXT("uid", sender.uid), LOG_TEXT("login", sender.login),
		  LOG_NUMBER("pid", sender.pid));
}
