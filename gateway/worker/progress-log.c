/*
 * PROGRESS of z/OS's client, in the log: there is nobody to show it to. The timer of the
 * session looks at the numbers that the relay keeps for `attlsctl sessions` in any case, so
 * a transfer costs one line for each interval, and nothing for each byte.
 */
#include "gateway/worker/progress-log.h"

#include "gateway/base/estimate.h"
#include "gateway/worker/session-end.h"
#include "gateway/worker/session-log.h"

static void write_line(const struct session *session, const struct data_status *status)
{
	uint64_t size, left_ms = 0;
	bool sized = ftp_progress_total(&session->latest.progress, status->bytes, &size);
	bool estimated = sized && estimate_left(status->bytes, size, status->rate, &left_ms);

	session_log(&session->facts, LOG_LEVEL_INFO, "progress", LOG_TEXT("user", session->user),
		    LOG_TEXT("direction", status->upload ? "upload" : "download"),
		    LOG_TEXT("command", status->command), LOG_NUMBER("bytes", status->bytes),
		    LOG_NUMBER("rate", status->rate), LOG_NUMBER("ms", status->transfer_ms),
		    LOG_NUMBER(sized ? "size" : "", sized ? size : 0),
		    LOG_NUMBER(sized ? "percent" : "", sized ? estimate_percent(status->bytes, size) : 0),
		    LOG_NUMBER(estimated ? "left_ms" : "", left_ms));
}

void progress_log_start(struct session *session)
{
	uint64_t interval_ms = (uint64_t)session->facts.rule->ftp->progress_s * 1000;

	if (interval_ms != 0 && loop_timer(&session->worker->loop, &session->progress_timer, interval_ms) < 0)
		session_end(session, "no-memory");
}

void progress_log_look(struct timer *timer)
{
	struct session *session = CONTAINER_OF(timer, struct session, progress_timer);
	struct data_status status;

	if (!data_conn_status(&session->data, &status))
		return;
	write_line(session, &status);
	progress_log_start(session);
}
