/*
 * Checks of TLS in the kernel, routing and conntrack. Each reports what it finds;
 * doctor.c decides which of them a policy needs.
 */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_KERNEL_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_KERNEL_H

struct doctor;

void doctor_check_ktls(struct doctor *doctor);
void doctor_check_route(struct doctor *doctor);
void doctor_check_rp_filter(struct doctor *doctor);
void doctor_check_forwarding(struct doctor *doctor);
void doctor_check_conntrack(struct doctor *doctor);
void doctor_check_expectations(struct doctor *doctor);

#endif
