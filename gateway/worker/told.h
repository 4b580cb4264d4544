/*
 * The port that the client was told to dial (227, 229). If it is given up undialled,
 * the log says so: a firewall in front of attlsd or a wrong `nat: advertise` leaves no
 * other trace, since most clients dial before they ask for a transfer.
 */
#ifndef ATTLSD_GATEWAY_WORKER_TOLD_H
#define ATTLSD_GATEWAY_WORKER_TOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/worker/facts.h"

struct told {
	struct ip_endpoint endpoint; /* as the client knows it; port 0: none */
	uint64_t since_ms;
	bool dialled;
	bool pointless;	    /* the server has refused the transfer, so the client need not dial */
	const char *reason; /* why it is about to be given up; NULL: for another one */
	uint32_t given_up;  /* how many, in this session */
};

void told_set(struct told *told, const struct ip_endpoint *endpoint, uint64_t now_ms);

/* The client has dialled it. */
void told_dialled(struct told *told);

/* The port is closed or was dialled, and a transfer may have used it. */
void told_end(struct told *told, const struct facts *facts, uint64_t now_ms);

/* At the end of the session: how many further ones there were. */
void told_log_more(const struct told *told, const struct facts *facts);

#endif
