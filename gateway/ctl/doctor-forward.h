/* Checks that clear FTP does not bypass an inline attlsd. */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_FORWARD_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_FORWARD_H

struct doctor;

void doctor_check_forward(struct doctor *doctor);

#endif
