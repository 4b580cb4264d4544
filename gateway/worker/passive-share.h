/*
 * The ports of passivedataports, when all are taken: a client that only sends EPSV must
 * not take those that others need. The source with the most ports that no client has
 * dialled yet gives the oldest of them to a source that has fewer.
 */
#ifndef ATTLSD_GATEWAY_WORKER_PASSIVE_SHARE_H
#define ATTLSD_GATEWAY_WORKER_PASSIVE_SHARE_H

#include <stdbool.h>

struct session;

/* Close another source's port, so that this session can have it. False: no source has enough more. */
bool passive_share_make_room(struct session *session);

#endif
