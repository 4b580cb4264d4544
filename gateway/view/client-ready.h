/* Should attlsd get new clients, by its answers to CTL_STATUS? */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_READY_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_READY_H

#include "gateway/base/readiness.h"
#include "gateway/view/client-answers.h"

/* answers: NULL: there are none. */
enum readiness client_ready_judge(const struct answers *answers);

#endif
