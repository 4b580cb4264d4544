/* Checks the policy's FTP servers. */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_SERVER_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_SERVER_H

struct doctor;

void doctor_check_servers(struct doctor *doctor);

#endif
