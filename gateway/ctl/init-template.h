/* The text of a policy that `attlsctl init` writes. */
#ifndef ATTLSD_GATEWAY_CTL_INIT_TEMPLATE_H
#define ATTLSD_GATEWAY_CTL_INIT_TEMPLATE_H

#include "gateway/ctl/init-plan.h"

/* The whole policy, for a plan that init_plan_check() likes; the caller frees it. NULL: no memory. */
char *init_template_write(struct init_plan *plan, size_t *ret_len);

#endif
