/*
 * Orders to a running attlsd in a form that never changes. A package replaces attlsctl before the
 * attlsd that runs, so at an upgrade, a restart or a rotation of logs the two may be of different
 * versions, and the questions of ctl-proto.h change with each version.
 */
#ifndef ATTLSD_GATEWAY_BASE_CTL_ORDER_H
#define ATTLSD_GATEWAY_BASE_CTL_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"

#define CTL_ORDER_VERSION  0x61746f31u
#define CTL_ORDER_TEXT_MAX 512

/* One packet, in place of a struct ask. */
struct ctl_order {
	uint32_t version; /* CTL_ORDER_VERSION */
	uint32_t what;	  /* enum ctl_proto_what */
};

/* The answer to it: the head of a struct answer. */
struct ctl_order_answer {
	uint32_t version; /* CTL_ORDER_VERSION */
	uint32_t kind;	  /* ANSWER_DONE, ANSWER_REFUSED or ANSWER_FORBIDDEN */
	char text[CTL_ORDER_TEXT_MAX];
};

/* Is this given as a struct ctl_order? */
bool ctl_order_has(uint32_t what);

/* Are these `received` bytes of a struct ask an order? */
bool ctl_order_is(const struct ask *ask, size_t received);

/* Are these `received` bytes of a struct answer an answer to an order? */
bool ctl_order_is_answer(const struct answer *answer, size_t received);

/*
 * Send a text as the answer, without waiting: as a struct ctl_order_answer, or as a struct answer for
 * attlsctl of this version only. Returns as ctl_proto_send() does.
 */
int ctl_order_answer(int fd, bool any_version, enum answer_kind kind, const char *text);

/*
 * The same with a second text after the NUL of the first, if there is room. One that does not look for it
 * does not see it.
 */
int ctl_order_answer_two(int fd, bool any_version, enum answer_kind kind, const char *text,
			 const char *second);
/* The second text; "": there is none. */
const char *ctl_order_second(const char text[static CTL_ORDER_TEXT_MAX]);

#endif
