/*
 * Checks of the nftables rules. Each reports what it finds; doctor.c decides which
 * of them a policy needs.
 */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_RULES_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_RULES_H

struct doctor;

void doctor_check_rules(struct doctor *doctor);
void doctor_check_input(struct doctor *doctor);
void doctor_check_helper(struct doctor *doctor);
void doctor_check_related(struct doctor *doctor);
void doctor_check_set(struct doctor *doctor);
void doctor_check_tproxy(struct doctor *doctor);
void doctor_check_socket(struct doctor *doctor);

#endif
