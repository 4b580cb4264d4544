/* How the keepers of both kinds of keys give up their privileges. */
#ifndef ATTLSD_GATEWAY_KEEPER_KEEPER_SANDBOX_H
#define ATTLSD_GATEWAY_KEEPER_KEEPER_SANDBOX_H

#include "gateway/keeper/keeper-setup.h"

/* Once the keys are read. process: for the log. Returns 0 or a negative errno, which is logged. */
int keeper_sandbox(const struct keeper_setup *setup, const char *process);

#endif
