/*
 * The process that holds the keytab, where keys are isolated: it forks an acceptor for each worker,
 * which looks at the tickets of clients. It has no private key of TLS.
 */
#ifndef ATTLSD_GATEWAY_KEEPER_GSSAPI_KEEPER_H
#define ATTLSD_GATEWAY_KEEPER_GSSAPI_KEEPER_H

#include "gateway/keeper/keeper-setup.h"

/* Returns the exit status: success when all sockets are closed at their other ends. */
int gssapi_keeper_run(const struct keeper_setup *setup);

#endif
