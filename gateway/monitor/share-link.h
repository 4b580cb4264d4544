/*
 * Shared passive ports across an upgrade. The new attlsd has the ports, and accepts. The
 * old one goes on with its sessions: it passes their plans on through the link, and gets
 * the connections that come for them.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_SHARE_LINK_H
#define ATTLSD_GATEWAY_MONITOR_SHARE_LINK_H

#include <stdbool.h>

#include "gateway/base/handover-state.h"
#include "gateway/monitor/admission.h"
#include "gateway/monitor/data-share.h"
#include "gateway/monitor/older.h"

/* The old one: write what sessions wait for into the state of HANDOVER_GO. */
void share_link_put(const struct data_share *share, struct handover_writer *writer);

/* Then, as soon as that was sent: stop accepting, and send later plans through `link`. */
void share_link_leave(struct data_share *share, int link);

/* The link is about to close: plans get no port until share_link_return(). */
void share_link_lost(struct data_share *share);

/* The new one has ended: accept again. What waited there is lost. */
void share_link_return(struct data_share *share);

/* The old one: an answer for a session of this monitor's. It may take *fd over. */
void share_link_answer(struct data_share *share, const struct admission *admission,
		       const struct handover_msg *msg, int *fd);

/* The new one: take what share_link_put() has written, of `from`. Returns 0 or -ENOMEM. */
int share_link_get(struct data_share *share, struct older *from, const struct handover_reader *reader);

/* The new one: what an old one says of plans; other messages are ignored. */
void share_link_request(struct data_share *share, struct older *from, const struct handover_msg *msg);

/* An old one has ended; `others`: there are more. */
void share_link_forget(struct data_share *share, const struct older *gone, bool others);

#endif
