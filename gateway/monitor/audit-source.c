/*
 * Only the monitor can open anything, so workers get their descriptors of the audit trail from
 * here, each one of its own. A look every few seconds finds a file that was renamed or removed,
 * and a reader that is back; no worker waits for either.
 */
#include "gateway/monitor/audit-source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <utlist.h>

#include "gateway/base/audit.h"
#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/host/audit-open.h"

#define LOOK_MS	 5000
#define RETRY_MS 1000

static void on_timer(struct timer *timer);

void audit_source_init(struct audit_source *source, struct loop *loop, struct children *children)
{
	*source = (struct audit_source){ .loop = loop, .children = children, .coming = { -1, -1 } };
	timer_init(&source->timer, on_timer);
	audit_boot();
	audit_start(&(struct audit_start){ .kind = AUDIT_NONE, .fds = { -1, -1 } });
}

static int usable(int fd)
{
	return fd < 0 ? -1 : fd;
}

static struct audit_place place_of(int fd)
{
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return (struct audit_place){ .dev = 0 };
	return (struct audit_place){ st.st_dev, st.st_ino };
}

/* Is another file there, or none? */
static bool has_moved(const char *path, const struct audit_place *place)
{
	struct stat st;

	if (path == NULL)
		return false;
	return stat(path, &st) == -1 || st.st_dev != place->dev || st.st_ino != place->ino;
}

static bool is_file(const struct audit_source *source)
{
	return policy_audit_kind(&source->daemon) == AUDIT_FILE;
}

int audit_source_prepare(struct audit_source *source, const struct policy_daemon *daemon, struct diags *diags)
{
	size_t errors = diags->nerrors;
	const char *why;

	audit_source_abandon(source);
	source->coming.audit = audit_open(daemon, &why);
	if (source->coming.audit < -1)
		audit_open_fault(diags, daemon->audit_mark, "audit", audit_open_path(daemon), why);
	source->coming.xferlog = audit_open_xferlog(daemon, &why);
	if (source->coming.xferlog < -1)
		audit_open_fault(diags, daemon->xferlog_mark, "xferlog", daemon->xferlog, why);
	if (diags->nerrors == errors)
		return 0;
	log_diags(diags);
	audit_source_abandon(source);
	return -EINVAL;
}

void audit_source_abandon(struct audit_source *source)
{
	source->coming.audit = usable(source->coming.audit);
	source->coming.xferlog = usable(source->coming.xferlog);
	fd_close(&source->coming.audit);
	fd_close(&source->coming.xferlog);
}

/* fd: -1 if policy wants none, or what made opening it fail: then the worker keeps what it has. */
static bool give(const struct child *child, const struct msg *msg, int fd)
{
	bool given = fd >= -1 && msg_send(child->channel.fd, msg, fd) == 0;

	fd = usable(fd);
	fd_close(&fd);
	return given;
}

/* What cannot be opened, or a worker that does not read its orders, is tried again at the next look. */
static void hand_out(struct audit_source *source, struct child *child)
{
	const struct msg audit = { .type = MSG_AUDIT, .purpose = policy_audit_kind(&source->daemon) };
	const struct msg xferlog = { .type = MSG_XFERLOG };
	bool has_audit = give(child, &audit, audit_open(&source->daemon, NULL));
	bool has_xferlog = give(child, &xferlog, audit_open_xferlog(&source->daemon, NULL));

	child->audit_due = !has_audit || !has_xferlog;
}

/* To all workers but those of a generation that has opened the same itself; NULL: to all. */
static void hand_out_all(struct audit_source *source, const struct generation *but, bool due_only)
{
	struct generation *generation;

	DL_FOREACH (source->children->head, generation)
		for (size_t i = 0; generation != but && i < generation->n; i++)
			if (generation->workers[i].channel.fd != -1 &&
			    (!due_only || generation->workers[i].audit_due))
				hand_out(source, &generation->workers[i]);
}

/* The monitor's own descriptors. */
static void use(struct audit_source *source, struct audit_fds *fds)
{
	int before;

	source->audit = place_of(fds->audit);
	source->xferlog = place_of(fds->xferlog);
	before = audit_use(policy_audit_kind(&source->daemon), fd_take(&fds->audit));
	fd_close(&before);
	before = audit_use_xferlog(fd_take(&fds->xferlog));
	fd_close(&before);
}

static void watch(struct audit_source *source)
{
	bool due = source->failing || is_file(source) || source->daemon.xferlog != NULL;

	if (!due)
		loop_timer_stop(source->loop, &source->timer);
	else /* if it fails, the next reload looks */
		(void)loop_timer(source->loop, &source->timer, source->failing ? RETRY_MS : LOOK_MS);
}

static void fail(struct audit_source *source, const char *error)
{
	log_event(LOG_LEVEL_ERROR, "audit-failed", LOG_TEXT("audit", source->daemon.audit),
		  LOG_TEXT("error", error),
		  LOG_TEXT("new_sessions",
			   source->daemon.audit_failure == AUDIT_FAILURE_REFUSE ? "refused" : "go on"));
	if (!source->failing)
		source->failing_since_ms = source->loop->now_ms;
	source->failing = true;
	watch(source);
}

static void on_failure(void *owner, int error)
{
	fail(owner, strerror(error));
}

static void start(struct audit_source *source, struct audit_fds fds, const char *role)
{
	audit_start(&(struct audit_start){ .kind = policy_audit_kind(&source->daemon),
					   .fds = fds,
					   .on_failure = on_failure,
					   .owner = source });
	audit_event("process-start", AUDIT_TEXT("role", role), AUDIT_TEXT("version", ATTLSD_VERSION));
}

static void free_paths(struct policy_daemon *daemon)
{
	free((void *)(uintptr_t)daemon->audit);
	free((void *)(uintptr_t)daemon->xferlog);
	daemon->audit = daemon->xferlog = NULL;
}

static const char *copy(const char *path)
{
	return path == NULL ? NULL : strdup(path);
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

void audit_source_promote(struct audit_source *source, const struct generation *current)
{
	const struct policy_daemon *daemon = &current->policy->daemon;

	/* the last word where the trail ends for now */
	if (source->started && !is_same(source->daemon.audit, daemon->audit))
		audit_event("audit-moved", AUDIT_TEXT("to", daemon->audit != NULL ? daemon->audit : "none"));
	free_paths(&source->daemon);
	source->daemon = (struct policy_daemon){ .audit = copy(daemon->audit),
						 .xferlog = copy(daemon->xferlog),
						 .audit_failure = daemon->audit_failure };
	if (source->started) {
		use(source, &source->coming);
	} else {
		source->audit = place_of(source->coming.audit);
		source->xferlog = place_of(source->coming.xferlog);
		start(source, source->coming, "monitor");
		source->coming = (struct audit_fds){ -1, -1 };
	}
	source->started = true;
	hand_out_all(source, current, false);
	watch(source);
}

static const char *refuse(struct audit_source *source, const char *path, const char *why)
{
	(void)snprintf(source->refusal, sizeof(source->refusal), "%.200s: %s; the old one stays in use", path,
		       why);
	return source->refusal;
}

const char *audit_source_reopen(struct audit_source *source)
{
	const char *audit_why = NULL, *xferlog_why = NULL;
	struct audit_fds fds = { usable(audit_open(&source->daemon, &audit_why)),
				 usable(audit_open_xferlog(&source->daemon, &xferlog_why)) };

	source->audit_gone = fds.audit == -1 && source->daemon.audit != NULL;
	source->xferlog_gone = fds.xferlog == -1 && source->daemon.xferlog != NULL;
	if (source->audit_gone || source->xferlog_gone) {
		fd_close(&fds.audit); /* what is open now is better than nothing */
		fd_close(&fds.xferlog);
		return source->audit_gone ? refuse(source, audit_open_path(&source->daemon), audit_why)
					  : refuse(source, source->daemon.xferlog, xferlog_why);
	}
	audit_event("audit-reopened", AUDIT_END);
	use(source, &fds);
	audit_event("audit-continued", AUDIT_END);
	hand_out_all(source, NULL, false);
	return NULL;
}

static void try_again(struct audit_source *source)
{
	struct audit_fds fds = { .xferlog = -1 };
	int before;

	if (!is_file(source) && source->daemon.audit != NULL) {
		fds.audit = usable(audit_open(&source->daemon, NULL));
		before = audit_use(policy_audit_kind(&source->daemon), fds.audit);
		fd_close(&before);
	}
	if (audit_flush() < 0)
		return;
	source->failing = false;
	log_event(LOG_LEVEL_WARNING, "audit-restored",
		  LOG_NUMBER("ms", source->loop->now_ms - source->failing_since_ms),
		  LOG_NUMBER("lost", audit_lost()));
	hand_out_all(source, NULL, false);
}

/* A file that is not where it was, and cannot be made again: what is written now is in no folder. */
static void follow(struct audit_source *source)
{
	bool known = source->xferlog_gone;
	bool moved = (is_file(source) && has_moved(source->daemon.audit, &source->audit)) ||
		     has_moved(source->daemon.xferlog, &source->xferlog);

	source->audit_gone = source->xferlog_gone = false;
	if (!moved || audit_source_reopen(source) == NULL)
		return; /* otherwise the next look tries again */
	if (source->audit_gone && !source->failing)
		fail(source, source->refusal);
	if (!source->audit_gone && !known)
		log_event(LOG_LEVEL_ERROR, "xferlog-failed", LOG_TEXT("error", source->refusal));
}

static void on_timer(struct timer *timer)
{
	struct audit_source *source = CONTAINER_OF(timer, struct audit_source, timer);

	follow(source);
	if (source->failing && !source->audit_gone)
		try_again(source);
	hand_out_all(source, NULL, true);
	watch(source);
}

void audit_source_failed(struct audit_source *source, pid_t pid)
{
	if (source->failing)
		return;
	log_event(LOG_LEVEL_ERROR, "audit-failed", LOG_TEXT("audit", source->daemon.audit),
		  LOG_NUMBER("worker", pid));
	source->failing = true;
	source->failing_since_ms = source->loop->now_ms;
	audit_torn(); /* its last line may be a piece */
	/* also the test whether it can be written now */
	audit_event("audit-failed", AUDIT_NUMBER("worker", pid));
	watch(source);
}

bool audit_source_refuses(const struct audit_source *source)
{
	return source->failing && source->daemon.audit_failure == AUDIT_FAILURE_REFUSE;
}

void audit_source_forked(struct audit_source *source, const char *role)
{
	if (source->started)
		start(source, audit_fds(), role);
}

void audit_source_done(struct audit_source *source)
{
	audit_source_abandon(source);
	loop_timer_stop(source->loop, &source->timer);
	free_paths(&source->daemon);
}
