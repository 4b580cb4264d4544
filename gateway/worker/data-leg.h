/*
 * The legs of a data connection: listened for or dialled, by the worker itself
 * or with a socket of the monitor's, and announced to the kernel. For data.c.
 */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_LEG_H
#define ATTLSD_GATEWAY_WORKER_DATA_LEG_H

#include "gateway/worker/data.h"

/* Close what a leg has open; its target stays known. */
void data_leg_close(struct data *data, struct data_leg *leg, bool reset);

/* Start to connect a leg that has a target. Failure leaves LEG_NONE, as a refused connection does later. */
void data_leg_dial(struct data *data, enum ftp_side side);

/* The same for the client's leg, once the kernel knows of it where it has to. */
void data_leg_dial_client(struct data *data);

/* Has a leg that is being dialled got through? Then it is LEG_OPEN; or it failed, and is LEG_NONE. */
void data_leg_check(struct data *data, struct data_leg *leg);

/* Open, and neither ended nor reset by its peer. */
bool data_leg_is_alive(struct data_leg *leg);

/* The plan is over: answers to it come too late, and the kernel need not know of it any more. */
void data_leg_withdraw(struct data *data);

#endif
