/* Checks what the firewall lets through: control and data connections of clients. */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_INPUT_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_INPUT_H

struct doctor;

void doctor_check_input(struct doctor *doctor);
void doctor_check_related(struct doctor *doctor);
void doctor_check_set(struct doctor *doctor);
void doctor_check_tracking(struct doctor *doctor);

#endif
