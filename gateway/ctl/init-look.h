/* The first look at the FTP server that a policy is going to be for. */
#ifndef ATTLSD_GATEWAY_CTL_INIT_LOOK_H
#define ATTLSD_GATEWAY_CTL_INIT_LOOK_H

#include <stdio.h>

#include "gateway/ctl/init-plan.h"

/*
 * Talk to the plan's backend as far as one gets without a login, print what it says and what that means,
 * and note in the plan what its policy has to respect. Returns whether attlsd can work with it as it is now.
 */
bool init_look(struct init_plan *plan, FILE *out);

#endif
