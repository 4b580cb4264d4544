/* Whom the certificate of a server must name. */
#ifndef ATTLSD_POLICY_SERVER_NAME_H
#define ATTLSD_POLICY_SERVER_NAME_H

#include "policy/types.h"

/*
 * The name of the rule's server at this address, which is one of the server's: a host name, or the
 * address itself, which then is in `text`. NULL: policy does not want it dialled.
 */
const char *policy_server_name(const struct policy_rule *rule, const struct policy_server *server,
			       const struct ip_addr *addr, char text[static IP_TEXT_MAX]);

#endif
