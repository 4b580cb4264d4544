/* Facts about the host, which the monitor needs to prepare it and attlsctl doctor to check it. */
#ifndef ATTLSD_GATEWAY_HOST_FACTS_H
#define ATTLSD_GATEWAY_HOST_FACTS_H

#include <stdbool.h>

#include "policy/policy.h"

/* Descriptors that a session can have open in its worker. */
#define HOST_FDS_PER_SESSION 6

/*
 * The user of the processes with the private keys. It is not the workers', since an
 * attacker may control a worker.
 */
#define HOST_KEY_USER "attlsd-key"

/* The user of the HTTP process, which has neither sessions nor keys of clients. */
#define HOST_HTTP_USER "attlsd-http"

/* `ktls` in any tls_action? */
bool host_wants_ktls(const struct policy *policy);

/* A transparent listener of this family (IP_NONE: of any)? */
bool host_wants_transparent(const struct policy *policy, enum ip_family family);

/* A listener, daemon.http or daemon.agent on a port below 1024? */
bool host_has_low_port(const struct policy *policy);

/*
 * Does any session connect sockets itself? With transparent listeners and `source:
 * client` throughout, the monitor does that for all of them.
 */
bool host_workers_dial(const struct policy *policy);

/* Does the kernel have TLS for sockets? As root this loads the module, which workers may not do. */
bool host_kernel_has_tls(void);

#endif
