/*
 * The checks of the nftables rules. Each reports what it finds; doctor.c says
 * which of them matter to a policy.
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
