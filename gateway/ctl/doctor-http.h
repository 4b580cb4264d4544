/* Checks what daemon.http and daemon.agent need. */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_HTTP_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_HTTP_H

struct doctor;

void doctor_check_http(struct doctor *doctor);

#endif
