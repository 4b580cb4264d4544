/*
 * Logs what operators order through control_socket, and who they are: the user of the
 * process, and the one who logged in first.
 */
#include "gateway/monitor/ctl-log.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/audit.h"
#include "gateway/base/log.h"
#include "gateway/base/util.h"

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

void ctl_log_order(int fd, const char *order)
{
	struct ucred who = { .pid = 0, .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);
	char uid[16] = "unknown", login[16] = "unknown";
	uint32_t first;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0)
		(void)snprintf(uid, sizeof(uid), "%u", (unsigned)who.uid);
	first = audit_uid(who.pid);
	if (first != UINT32_MAX)
		(void)snprintf(login, sizeof(login), "%u", (unsigned)first);
	log_write(LOG_LEVEL_INFO, "operator",
		  (const struct log_field[]){ LOG_TEXT("order", order),
					      LOG_TEXT("uid", uid),
					      LOG_TEXT("login", login),
					      LOG_NUMBER("pid", (uint64_t)who.pid),
					      { 0 } });
	audit_event("order", AUDIT_TEXT("order", order), AUDIT_TEXT("uid", uid),
		    AUDIT_TEXT("login_uid", login), AUDIT_NUMBER("operator_pid", who.pid));
}
