/*
 * Checks of the nftables rules. Each reports what it finds; doctor.c decides which
 * of them a policy needs.
 */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_RULES_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_RULES_H

#include <stdbool.h>

#include "policy/ip.h"

struct doctor;

void doctor_check_rules(struct doctor *doctor);
void doctor_check_helper(struct doctor *doctor);
void doctor_check_tproxy(struct doctor *doctor);
void doctor_check_socket(struct doctor *doctor);

/* Does the set of nat.nft_set for this family exist, as attlsd needs it? */
bool doctor_check_one_set(struct doctor *doctor, enum ip_family family);

#endif
