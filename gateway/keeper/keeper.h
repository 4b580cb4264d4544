/*
 * The keeper: one process for each generation. It loads the private keys, gives up
 * its privileges, and forks a signer for each worker; when a signer dies, it forks
 * another, which has the same keys and the same socket.
 */
#ifndef ATTLSD_GATEWAY_KEEPER_KEEPER_H
#define ATTLSD_GATEWAY_KEEPER_KEEPER_H

#include "gateway/keeper/keeper-setup.h"

/* Returns the exit status: success when all sockets are closed at their other ends. */
int keeper_run(const struct keeper_setup *setup);

#endif
