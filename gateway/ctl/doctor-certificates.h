/* Checks the certificates and private keys of the policy. */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_CERTIFICATES_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_CERTIFICATES_H

struct doctor;

void doctor_check_certificates(struct doctor *doctor);

#endif
