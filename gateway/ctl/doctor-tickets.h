/* Checks the files of session_ticket_keys. */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_TICKETS_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_TICKETS_H

struct doctor;

void doctor_check_tickets(struct doctor *doctor);

#endif
