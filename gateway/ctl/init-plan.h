/*
 * What `attlsctl init` is going to write into a policy: one value for each question. Texts belong to
 * the plan's arena.
 */
#ifndef ATTLSD_GATEWAY_CTL_INIT_PLAN_H
#define ATTLSD_GATEWAY_CTL_INIT_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

#define INIT_NAMES_MAX	  16
#define INIT_PARTNERS_MAX 32

/* Clients from some networks, and what they need that others do not get. */
struct init_partner {
	const char *name;
	const char *networks; /* as a list of YAML, without its brackets */
	const char
	    *trust; /* the authorities that issue this partner's client certificates; NULL: none are needed */
	bool ccc;   /* a firewall on its way has to read the control connection after the login */
	bool clear; /* it has no TLS */
	bool zos;   /* it is the client of z/OS, which waits for the greeting on an implicit port */
};

struct init_plan {
	struct arena arena;
	const char *backend;		   /* HOST:PORT */
	unsigned command_line_max;	   /* of the server that was seen; 0: the default is right */
	const char *server;		   /* its name, if it is a known one; NULL: it is not */
	const char *names[INIT_NAMES_MAX]; /* that clients connect to: host names and addresses */
	size_t nnames;
	bool throwaway; /* make a certificate, at the two paths below */
	const char *certificate, *key;
	const char *port, *implicit_port; /* ADDRESS:PORT; NULL: no such listener */
	const char *passivedataports;
	const char *advertise; /* NULL: there is no NAT */
	struct init_partner partners[INIT_PARTNERS_MAX];
	size_t npartners;
	bool partners_only; /* nobody else may connect */
};

/*
 * Each takes one value as a user writes it. Returns NULL, or what is wrong with it, without
 * the value; then the plan is unchanged.
 */
typedef const char *init_take_fn(struct init_plan *plan, const char *text);

init_take_fn init_take_backend;
init_take_fn init_take_name;
init_take_fn init_take_certificate; /* the file must be readable */
init_take_fn init_take_key;
init_take_fn init_take_port;
init_take_fn init_take_implicit_port; /* "none": no implicit port */
init_take_fn init_take_passivedataports;
init_take_fn init_take_advertise; /* "none": no NAT */
init_take_fn init_take_partner;	  /* NAME=NETWORK[,NETWORK...][,certificates=FILE][,ccc][,clear][,zos] */

/* Do the values fit each other? Returns NULL, or what is wrong. */
const char *init_plan_check(const struct init_plan *plan);

void init_plan_done(struct init_plan *plan);

#endif
