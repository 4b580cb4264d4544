/* What those who connect to the monitor may do, and how many of them it serves at once. */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_ROLE_H
#define ATTLSD_GATEWAY_MONITOR_CTL_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/msg.h"

/* Who is at the other end of a connection of control_socket? Only the kernel can tell. */
enum msg_asker ctl_role_of(int fd);

/* How many connections of this kind are served at once. */
size_t ctl_role_places(enum msg_asker who);

/* NULL: it may ask this, or give this order. Otherwise the reason why not, for people. */
const char *ctl_role_refusal(enum msg_asker who, uint32_t what);

#endif
