/* The check of doctor that looks at the socket of login_check. */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_LOGIN_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_LOGIN_H

struct doctor;

void doctor_check_login(struct doctor *doctor);

#endif
