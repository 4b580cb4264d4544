/* How keepers, the processes that they fork, and those with tokens give up their privileges. */
#ifndef ATTLSD_GATEWAY_KEEPER_KEEPER_SANDBOX_H
#define ATTLSD_GATEWAY_KEEPER_KEEPER_SANDBOX_H

#include "gateway/keeper/keeper-setup.h"

/* A keeper, once it has read the keys. process: for the log. Returns 0 or a negative errno, which is logged.
 */
int keeper_sandbox(const struct keeper_setup *setup, const char *process);

/* A process that is about to load the module of a token. Returns likewise. */
int keeper_sandbox_token(const struct keeper_setup *setup);

/* A process that a keeper has forked: it may still read, write and compute. Returns likewise. */
int keeper_sandbox_child(const char *process);

#endif
