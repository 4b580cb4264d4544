/*
 * Writes the audit trail of a process. Readers of a socket may be slow or gone for a moment, and
 * a disk full: up to KEPT_MAX bytes of events wait in order until the trail can be written again.
 */
#include "gateway/base/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/counters.h"
#include "gateway/base/log.h"

#define KEPT_MAX (256 * 1024)

/* Facility authpriv, severity notice, and the cookie by which rsyslog's mmjsonparse knows JSON. */
#define SYSLOG_HEAD	"<85>attlsd-audit[%d]: @cee: "
#define SYSLOG_HEAD_MAX 48

/* How this process keeps its trail: like the log, a piece of global state. */
static struct {
	char boot[17];
	enum audit_kind kind;
	struct audit_fds fds;
	void (*on_failure)(void *owner, int error);
	void *owner;
	bool told;	/* on_failure was called */
	bool torn;	/* the last line of the file may lack its end */
	bool xfer_torn; /* the same of the xferlog */
	bool xfer_told; /* that it cannot be written: the log has it */
	pid_t pid;
	uint64_t seq;
	uint64_t lost;	    /* since the start, */
	uint64_t lost_told; /* and as many of them are in the trail */
	char *kept;	    /* records of a size_t and as many bytes */
	size_t kept_len;
	int error; /* of the last write */
} trail = { .fds = { -1, -1 } };

static char line_buf[AUDIT_LINE_MAX + SYSLOG_HEAD_MAX + 2];
static char journal_buf[AUDIT_JOURNAL_MAX];

void audit_boot(void)
{
	uint64_t random = 0;

	(void)!getrandom(&random, sizeof(random), 0); /* without it, time and pid tell starts apart */
	if (random == 0)
		random = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
	(void)snprintf(trail.boot, sizeof(trail.boot), "%016" PRIx64, random);
}

void audit_start(const struct audit_start *start)
{
	trail.kind = start->kind;
	trail.fds = start->fds;
	trail.on_failure = start->on_failure;
	trail.owner = start->owner;
	trail.told = trail.torn = trail.xfer_torn = trail.xfer_told = false;
	trail.pid = getpid();
	trail.seq = trail.lost = trail.lost_told = 0;
	trail.kept_len = 0;
	trail.error = 0;
}

struct audit_fds audit_fds(void)
{
	return trail.fds;
}

bool audit_is_on(void)
{
	return trail.kind != AUDIT_NONE;
}

bool audit_has_xferlog(void)
{
	return trail.fds.xferlog != -1;
}

uint64_t audit_lost(void)
{
	return trail.lost;
}

static void tell(void)
{
	if (!trail.told && trail.on_failure != NULL) {
		trail.told = true;
		trail.on_failure(trail.owner, trail.error);
	}
}

/*
 * Append to a file. A line that was cut off (the disk is full) is left as it is, and the next
 * one begins after a newline: *torn says so.
 */
static int append(int fd, bool *torn, const char *bytes, size_t len)
{
	ssize_t n;

	if (*torn) {
		n = write(fd, "\n", 1);
		if (n != 1)
			return n == -1 ? -errno : -ENOSPC;
		*torn = false;
	}
	do {
		n = write(fd, bytes, len);
	} while (n == -1 && errno == EINTR);
	*torn = n > 0 && (size_t)n < len;
	if (n == (ssize_t)len)
		return 0;
	return n == -1 ? -errno : -ENOSPC;
}

void audit_torn(void)
{
	trail.torn = true;
}

static int send_whole(int fd, const char *bytes, size_t len)
{
	ssize_t n;

	do {
		n = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : 0;
}

static int deliver(const char *bytes, size_t len)
{
	int r;

	if (trail.fds.audit == -1)
		r = -ENOTCONN;
	else if (trail.kind == AUDIT_FILE)
		r = append(trail.fds.audit, &trail.torn, bytes, len);
	else
		r = send_whole(trail.fds.audit, bytes, len);
	trail.error = -r;
	return r;
}

/* The event is in no file and will be in none: the next one says so. */
static void lose(void)
{
	trail.lost++;
	count(AUDIT_EVENTS_LOST, 0, 1);
}

static void keep(const char *bytes, size_t len)
{
	if (trail.kept == NULL)
		trail.kept = malloc(KEPT_MAX);
	if (trail.kept == NULL || len + sizeof(len) > KEPT_MAX - trail.kept_len) {
		lose();
		return;
	}
	memcpy(trail.kept + trail.kept_len, &len, sizeof(len));
	memcpy(trail.kept + trail.kept_len + sizeof(len), bytes, len);
	trail.kept_len += sizeof(len) + len;
}

int audit_flush(void)
{
	size_t at = 0, len;
	int r = 0;

	while (at < trail.kept_len) {
		memcpy(&len, trail.kept + at, sizeof(len));
		r = deliver(trail.kept + at + sizeof(len), len);
		if (r == -EMSGSIZE) { /* it will never fit */
			lose();
			r = 0;
		}
		if (r < 0)
			break;
		at += sizeof(len) + len;
	}
	if (at > 0)
		memmove(trail.kept, trail.kept + at, trail.kept_len - at);
	trail.kept_len -= at;
	if (r < 0)
		tell();
	return r;
}

int audit_use(enum audit_kind kind, int fd)
{
	int before = trail.fds.audit;

	/* what was kept for another kind has another form */
	if (kind != trail.kind && trail.kept_len > 0) {
		for (size_t at = 0, len; at < trail.kept_len; at += sizeof(len) + len) {
			memcpy(&len, trail.kept + at, sizeof(len));
			lose();
		}
		trail.kept_len = 0;
	}
	trail.kind = kind;
	trail.fds.audit = fd;
	trail.told = false; /* it may be the same file, so `torn` stays */
	if (kind != AUDIT_NONE)
		(void)audit_flush(); /* it tells itself */
	return before;
}

int audit_use_xferlog(int fd)
{
	int before = trail.fds.xferlog;

	trail.fds.xferlog = fd;
	trail.xfer_told = false;
	return before;
}

/* The event as its reader wants it. */
static const char *form(const struct audit_stamp *stamp, const struct audit_field *common,
			const struct audit_field *fields, size_t *ret_len)
{
	char *json = line_buf + SYSLOG_HEAD_MAX;
	size_t len = audit_text_json(json, stamp, common, fields);
	char head[SYSLOG_HEAD_MAX];
	int head_len;

	switch (trail.kind) {
	case AUDIT_NONE:
		break;
	case AUDIT_FILE:
		json[len++] = '\n';
		break;
	case AUDIT_SYSLOG:
		head_len = snprintf(head, sizeof(head), SYSLOG_HEAD, (int)stamp->pid);
		json -= head_len;
		memcpy(json, head, (size_t)head_len);
		len += (size_t)head_len;
		break;
	case AUDIT_JOURNAL:
		*ret_len = audit_text_journal(journal_buf, json, len, stamp, common, fields);
		return journal_buf;
	}
	*ret_len = len;
	return json;
}

void audit_write(const char *event, const struct audit_field *common, const struct audit_field *fields)
{
	static const struct audit_field none = AUDIT_END;
	struct audit_stamp stamp = {
		.boot = trail.boot, .node = log_node(), .pid = trail.pid, .event = event
	};
	const char *bytes;
	size_t len = 0;
	int r = trail.kept_len > 0 ? audit_flush() : 0;

	stamp.seq = ++trail.seq;
	stamp.lost = trail.lost - trail.lost_told;
	(void)clock_gettime(CLOCK_REALTIME, &stamp.time);
	bytes = form(&stamp, common != NULL ? common : &none, fields, &len);
	if (r == 0)
		r = deliver(bytes, len);
	if (r == 0) {
		trail.lost_told = trail.lost;
		return;
	}
	if (r == -EMSGSIZE)
		lose();
	else {
		uint64_t lost = trail.lost;

		keep(bytes, len);
		if (trail.lost == lost)
			trail.lost_told = lost; /* it is among those that are kept */
	}
	tell();
}

void audit_write_xferlog(const char *line, size_t len)
{
	int r = append(trail.fds.xferlog, &trail.xfer_torn, line, len);

	if (r < 0)
		count(XFERLOG_LINES_LOST, 0, 1);
	if (r < 0 && !trail.xfer_told)
		log_event(LOG_LEVEL_ERROR, "xferlog-failed", LOG_TEXT("error", strerror(-r)));
	trail.xfer_told = r < 0;
}
