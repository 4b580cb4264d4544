/* The monitor's answer to `attlsctl metrics`. */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_METRICS_H
#define ATTLSD_GATEWAY_MONITOR_CTL_METRICS_H

#include "gateway/base/ctl-proto.h"
#include "gateway/monitor/backends.h"
#include "gateway/monitor/children.h"
#include "gateway/monitor/older.h"

struct ctl_metrics;

/*
 * Add up what all processes have counted so far, and what replaced attlsds have told. NULL: no
 * memory.
 */
struct ctl_metrics *ctl_metrics_new(struct children *children, const struct older_set *older,
				    const struct backends *backends, const struct answer_gateway *gateway);

/* Add what this attlsd has counted; generation: the one in force. */
void ctl_metrics_sum(struct counters *sum, struct children *children, uint64_t generation);

/* NULL is fine. */
void ctl_metrics_free(struct ctl_metrics **metrics);

/*
 * Send what is still missing. Returns 0 when that was all; -EAGAIN: call again when the reader has
 * read; another negative errno: the connection is lost.
 */
int ctl_metrics_send(struct ctl_metrics *metrics, int fd);

#endif
