/* Checks that the FTP servers on this host cannot be reached without attlsd. */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_EXPOSED_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_EXPOSED_H

struct doctor;

void doctor_check_exposed(struct doctor *doctor);

#endif
