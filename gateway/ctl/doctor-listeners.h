/* Checks that attlsd can have the ports and addresses of its listeners. */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_LISTENERS_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_LISTENERS_H

struct doctor;

void doctor_check_addresses(struct doctor *doctor);
void doctor_check_listeners(struct doctor *doctor);

#endif
