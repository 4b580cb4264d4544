/*
 * The links of a monitor with attlsds that it has replaced, or is about to replace. Each ends
 * when the other one has ended. Belongs to the monitor.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_OLDER_H
#define ATTLSD_GATEWAY_MONITOR_OLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/counters.h"
#include "gateway/base/ctl-proto.h"
#include "gateway/base/handover-link.h"
#include "gateway/base/handover-state.h"
#include "gateway/base/loop.h"

/* Each still has sessions, and a process. An upgrade beyond this many has to wait. */
#define OLDER_MAX ANSWER_OLDER_MAX

struct older_set;

struct older {
	struct older_set *set;
	struct watch link;
	struct handover_older facts; /* as it has told, lately; descriptor is unused */
	struct counters *counts;     /* that it has told of; NULL: none */
	struct deferred deferred;
	struct older *next, *prev;
};

/* fd: a descriptor that came along, which is closed after the call, or -1. */
typedef void older_message_fn(void *owner, struct older *from, const struct handover_msg *msg, int fd);
/* It has ended; freed after the call. */
typedef void older_end_fn(void *owner, struct older *gone);

struct older_set {
	struct loop *loop;
	struct older *head;
	size_t n;
	void *owner;
	older_message_fn *on_message;
	older_end_fn *on_end;
};

void older_init(struct older_set *set, struct loop *loop, void *owner, older_message_fn *on_message,
		older_end_fn *on_end);

/* Takes *fd over. NULL: no memory, and *fd is closed. Nothing is received before older_listen(). */
struct older *older_add(struct older_set *set, int *fd, const struct handover_older *facts);

/* Receive from all, or leave their messages to a process that has copies of the links. */
int older_listen(struct older_set *set, bool on);

/* Send a message without descriptors; text may be NULL. Returns 0 or a negative errno. */
int older_say(const struct older *older, enum handover_type type, uint64_t number, const char *text);

/* The sessions of all of them. */
size_t older_sessions(const struct older_set *set);

/* Close all links. */
void older_done(struct older_set *set);

#endif
