/* A peer may answer a fatal alert with one of its own, so the first one counts. */
#include "gateway/net/stream-alert.h"

#include "gateway/base/counters.h"
#include "gateway/base/tls-alert.h"

#define LEVEL_FATAL 2 /* RFC 5246 7.2, RFC 8446 6 */

/* The end of a connection in order is no alert that anybody has to hear of. */
static void count_alert(bool with_client, bool sent, uint8_t number)
{
	size_t alert = tls_alert_find(number);
	const uint8_t values[COUNT_LABELS_MAX] = {
		with_client ? COUNT_LEG_CLIENT : COUNT_LEG_SERVER,
		sent ? COUNT_SENT_YES : COUNT_SENT_NO,
		alert < COUNT_TABLE_OTHER ? (uint8_t)alert : COUNT_TABLE_OTHER,
	};

	if (number != TLS_ALERT_CLOSE_NOTIFY)
		count_cell(count_sparse_cell(count_page, COUNT_ALERTS, values), 1);
}

/* A level and a number. The first fatal one counts: the other side may answer it with one of its own. */
void stream_alert_note(struct stream *stream, bool with_client, bool ours, const uint8_t alert[static 2])
{
	count_alert(with_client, ours, alert[1]);
	if (alert[0] != LEVEL_FATAL || stream->alert_seen)
		return;
	stream->alert_seen = true;
	stream->alert_ours = ours;
	stream->alert = alert[1];
}

const char *stream_alert_fatal(const struct stream *stream, bool *ret_ours)
{
	*ret_ours = stream->alert_ours;
	return stream->alert_seen ? tls_alert_name(stream->alert) : NULL;
}
