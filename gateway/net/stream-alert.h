/* The alerts of TLS on a stream: they are counted, and the fatal one that ended TLS is remembered. */
#ifndef ATTLSD_GATEWAY_NET_STREAM_ALERT_H
#define ATTLSD_GATEWAY_NET_STREAM_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/net/stream.h"

/* One has come, or goes out (ours): its level and its number. with_client: the peer is a client. */
void stream_alert_note(struct stream *stream, bool with_client, bool ours, const uint8_t alert[static 2]);

/* The fatal one, as tls-alert.h names it, and whether we have sent it. NULL: there was none. */
const char *stream_alert_fatal(const struct stream *stream, bool *ret_ours);

#endif
