/* A worker that answers may be under an attacker's control. */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_CHECK_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_CHECK_H

#include <stddef.h>

#include "gateway/base/ctl-proto.h"

/*
 * Make a packet of `received` bytes safe to use: terminate its texts, and set its
 * kind to 0 if it is not an answer.
 */
void client_check_answer(struct answer *answer, size_t received);

#endif
