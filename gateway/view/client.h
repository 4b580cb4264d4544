/*
 * attlsctl's end of control_socket: asks a running attlsd and gets its answers. A
 * function that returns -1 has printed what went wrong to stderr.
 */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_H

#include <stdint.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/view/client-answers.h"
#include "gateway/view/client-target.h"

/*
 * Ask for status or sessions. Returns 0 and the answers, or -1. Call
 * client_answers_done() in either case.
 */
int client_collect(const struct target *target, enum ctl_proto_what what, struct answers *ret);

/* Give an order, and wait at most wait_ms for the answer. Returns 0 and the answer, or -1. */
int client_order(const struct target *target, enum ctl_proto_what what, uint64_t session, int wait_ms,
		 struct answer *ret);

#endif
