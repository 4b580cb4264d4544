/*
 * Checks of users, limits, capabilities and passive ports. Each reports what it finds;
 * doctor.c decides which of them a policy needs.
 */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_HOST_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_HOST_H

struct doctor;

void doctor_check_user(struct doctor *doctor);
void doctor_check_key_user(struct doctor *doctor);
void doctor_check_control_socket(struct doctor *doctor);
void doctor_check_audit(struct doctor *doctor);
void doctor_check_control_group(struct doctor *doctor);
void doctor_check_capabilities(struct doctor *doctor);
void doctor_check_files(struct doctor *doctor);
void doctor_check_ports(struct doctor *doctor);

#endif
