/*
 * The sessions of a worker share this. worker.c makes and ends it; sessions and
 * their parts use it.
 */
#ifndef ATTLSD_GATEWAY_WORKER_CONTEXT_H
#define ATTLSD_GATEWAY_WORKER_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/base/loop.h"
#include "gateway/net/linebuf.h"
#include "gateway/net/linger.h"
#include "gateway/net/relay.h"
#include "gateway/tls/tlsctx-known.h"
#include "gateway/tls/tlsctx-user.h"
#include "gateway/tls/tlsctx.h"
#include "gateway/worker/probers.h"
#include "gateway/worker/server-memory.h"
#include "gateway/worker/session-table.h"
#include "gateway/worker/trace.h"
#include "gateway/worker/uplink.h"
#include "policy/policy.h"

struct banners;
struct dump;
struct gssapi_link;
struct key_provider;
struct health_logins;
struct server_check;
struct server_maps;
struct users;

struct worker {
	struct loop loop;
	const struct policy *policy;
	struct key_provider *keys; /* NULL: they are in tlsctx */
	struct tlsctx_set *tlsctx;
	struct tlsctx_known *known; /* TLS sessions with servers */
	struct users *users;
	struct health_logins *health_logins;
	struct gssapi_link *gssapi; /* NULL: policy offers no AUTH GSSAPI */
	struct banners *banners;
	struct server_maps *maps;
	struct uplink uplink;
	struct session_table sessions;
	struct linger_list lingering;
	struct trace trace;
	struct dump *dumps; /* connections of operators that read a list */
	size_t ndumps[ASKERS];
	bool retired;	   /* exits after its last session */
	uint64_t unlisted; /* sessions that the audit trail does not have: health checks */
	bool draining;	   /* and makes sessions end soon */
	struct timer drain_timer;
	struct timer expiry_timer;
	uint8_t user_key[TLS_USER_KEY_BYTES]; /* for tlsctx_user_binding() */
	struct timer ticket_timer;	      /* wipes old keys of session tickets */
	_Atomic uint32_t *relays; /* shared with the monitor: transfers under way, for balancing */
	struct probers probers;
	struct server_check *checks; /* under way */
	size_t nchecks;
	struct server_memories *servers;
	struct timer servers_timer; /* counts their minutes */

	/* Shared by all sessions, hot and empty between events. */
	struct ftp_out out;
	struct outbuf replies;
	struct outbuf commands;
	struct relay_tools tools;
};

#endif
