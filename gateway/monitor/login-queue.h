/*
 * Whose turn it is to try a login. Passwords of one source are tried one after the
 * other once one of them was wrong, with a delay that doubles; it counts over all
 * sessions and workers.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_LOGIN_QUEUE_H
#define ATTLSD_GATEWAY_MONITOR_LOGIN_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "policy/ip.h"

struct login_attempt;
struct login_source;

/* It is the turn of `session`, of `owner`; others_wait: or may wait soon, until this attempt is decided. */
typedef void login_go_fn(void *owner, uint64_t session, bool others_wait);

struct login_queue {
	struct loop *loop;
	login_go_fn *go;
	struct login_source *sources;	/* by address, the least recently used first */
	struct login_attempt *attempts; /* by session */
};

/* go is also called from inside the other functions. */
void login_queue_init(struct login_queue *queue, struct loop *loop, login_go_fn *go);
void login_queue_done(struct login_queue *queue);

/*
 * A session wants to try a login. key: of its source, see admission_key(). delay_ms: what one
 * failure costs. False: it tries one already.
 */
bool login_queue_ask(struct login_queue *queue, uint64_t session, void *owner, const struct ip_addr *key,
		     uint32_t delay_ms);

/* The attempt of a session, if there is one, has succeeded or is not decided; or the session is over. */
void login_queue_over(struct login_queue *queue, uint64_t session);

/* A login has failed, whether the session had asked or not. */
void login_queue_failed(struct login_queue *queue, uint64_t session, const struct ip_addr *key);

/* How many logins of a source have failed lately; 0 again ten minutes after the last one. */
uint32_t login_queue_failures(const struct login_queue *queue, const struct ip_addr *key);

/* What counts against a source. */
struct login_failures {
	struct ip_addr key;
	uint32_t failures;
	uint64_t failed_ms; /* the last one, by the clock of the loop */
};

/* Copy those of at most `max` sources, the least recently used first. Returns how many. */
size_t login_queue_export(const struct login_queue *queue, struct login_failures *ret, size_t max);

/* Count failures that another attlsd has seen. */
void login_queue_import(struct login_queue *queue, const struct login_failures *failures);

/* For this many sources failures are kept. */
#define LOGIN_SOURCES_MAX 10000

#endif
