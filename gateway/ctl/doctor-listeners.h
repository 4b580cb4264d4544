/* Checks that attlsd can have the ports and addresses of its listeners. */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_LISTENERS_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_LISTENERS_H

#include <stdbool.h>

#include "policy/ip.h"

struct doctor;

/* Where attlsd wants to listen. */
struct doctor_port {
	const char *name;  /* each finding begins with it */
	const char *place; /* the key of the policy */
	struct ip_endpoint endpoint;
};

void doctor_check_addresses(struct doctor *doctor);
void doctor_check_listeners(struct doctor *doctor);

/* Report who listens there. Returns false, without a finding, if this host does not have the address. */
bool doctor_check_port(struct doctor *doctor, const struct doctor_port *port);

#endif
