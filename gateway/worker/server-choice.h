/*
 * Which server a session has, if its backend has several: the monitor chooses, the
 * worker reports. Until the server's greeting counts, another one may take its place;
 * after that the session stays with its server in everything.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SERVER_CHOICE_H
#define ATTLSD_GATEWAY_WORKER_SERVER_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/server-failure.h"
#include "gateway/worker/session-state.h"

/* Does the session have to be given a server before it can dial? */
bool server_choice_is_due(const struct session *session);

/* FTP_DO_SERVER_RENEW: this user wants a server; with `server_map` it is due, and which one. */
void server_choice_for(struct session *session, const char *user, size_t len);

/* Ask the monitor for one: MSG_SERVER is the answer. */
void server_choice_ask(struct session *session);

/* The session has been given server `index`, and could be given `left` others. */
void server_choice_take(struct session *session, uint32_t index, uint32_t left);

/* May another server take the place of this one? */
bool server_choice_has_more(const struct session *session);

/* The server does not serve. Tells the monitor, once for each server; of the first one only. */
void server_choice_report(struct session *session, enum server_failure failure);

/* The same, and asks for another one, see server_choice_has_more(). error: for the log. */
void server_choice_next(struct session *session, enum server_failure failure, const char *error);

/* Why there is no server, for the log. */
const char *server_choice_failed(const struct session *session);

/* The server's greeting counts: the session stays with it. */
void server_choice_settle(struct session *session);

/* facts.server is another one now, or another of its addresses: use what is known about it. */
void server_choice_changed(struct session *session);

/* How long to wait for the server's greeting. */
uint64_t server_choice_greeting_ms(const struct session *session);

/*
 * A server's addresses are dialled in vain, one after the other: note the error of one of them. That of an
 * address that this host cannot dial at all says nothing about the server, if there is another one.
 */
void server_choice_dial_error(struct dial_error *error, int r, const struct ip_addr *at);

/* What a failed dial says of the server; NONE: nothing, it is this host's own fault. r: a negative errno. */
enum server_failure server_choice_dial_failure(int r);

#endif
