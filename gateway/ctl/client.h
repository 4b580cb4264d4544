/*
 * attlsctl's end of control_socket: reach the attlsd that runs, ask, hear what
 * it says. Whatever goes wrong has been said on stderr when a function returns
 * -1.
 */
#ifndef ATTLSD_GATEWAY_CTL_CLIENT_H
#define ATTLSD_GATEWAY_CTL_CLIENT_H

#include <stdint.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/ctl/client-answers.h"
#include "gateway/ctl/client-target.h"

/*
 * Ask for status or sessions. Returns 0 and the answers, or -1; client_answers_done()
 * has to be called in either case.
 */
int client_collect(const struct target *target, enum ctl_proto_what what, struct answers *ret);

/* Give an order, and wait so long for the answer. Returns 0 and what it says, or -1. */
int client_order(const struct target *target, enum ctl_proto_what what, uint64_t session, int wait_ms,
		 struct answer *ret);

#endif
