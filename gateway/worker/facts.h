/*
 * The facts about an admitted session: its client, the address dialled, its rule and
 * its server. Data connections see only this part of their session. Nothing in it
 * changes, except what TLS and Kerberos give it: `identity`, `mapped`, the bindings, `gssapi` and
 * `principal`, at a later AUTH or REIN.
 */
#ifndef ATTLSD_GATEWAY_WORKER_FACTS_H
#define ATTLSD_GATEWAY_WORKER_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/tls/identity.h"
#include "gateway/tls/tlsctx-sessions.h"
#include "gateway/tls/tlsctx.h"
#include "policy/policy.h"

struct gssapi_context;
struct habits;
struct server_tls;
struct session_summary;
struct trace_session;

struct facts {
	uint64_t id;
	const struct policy *policy;	 /* NULL: the session could not begin */
	struct trace_session *traced;	 /* likewise */
	const char *user;		 /* that has logged in, "" before that; the session's */
	struct session_summary *summary; /* for the audit trail; the session's */
	const struct policy_listener *listener;
	const struct policy_rule *rule; /* NULL: not known yet */
	struct tlsctx *tlsctx;		/* with the client; NULL: policy allows none */
	uint8_t binding[TLS_BINDING_BYTES];
	uint8_t
	    user_binding[TLS_BINDING_BYTES];  /* the same for all sessions of its user, from the login on */
	bool has_user_binding;		      /* policy wants that, and the user is known */
	struct tlsctx_sessions *tls_sessions; /* of the session; its data connections add theirs */
	struct habits *habits;		      /* likewise */
	int64_t began_s;		      /* seconds since 1970, as the monitor has it */
	struct ip_endpoint remote;	      /* the client */
	struct ip_endpoint local;	      /* the address that it dialled */
	const struct policy_server *named;    /* the server, as policy names it */
	struct ip_endpoint server;	      /* where it is: one of its addresses */
	struct server_tls *server_tls;	      /* with the server; NULL: policy wants none */
	struct ip_addr host; /* this host's end, which differs from `local` behind a load balancer */
	struct gssapi_context *gssapi;	  /* with the client; NULL: none */
	const char *principal;		  /* of Kerberos, once it is certain; NULL: none */
	bool implicit;			  /* TLS came first, or comes right after the greeting */
	bool proxied;			  /* a PROXY header named the client */
	bool transparent;		  /* the listener is: sockets have other hosts' addresses */
	struct identity identity;	  /* of the client, from its certificate */
	const struct policy_user *mapped; /* whose certificate that is; NULL: nobody's */
};

#endif
