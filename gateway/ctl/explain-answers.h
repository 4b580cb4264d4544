/* The parts of an explanation that come from the FTP machine itself. */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_ANSWERS_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_ANSWERS_H

#include "gateway/ctl/explain-json.h"
#include "gateway/ctl/simulate.h"

/* The lines that attlsd adds to FEAT. */
json_t *explain_features(struct explain_maker *maker);

/*
 * Add the answers to commands, in each state that the client can be in, to a list. `either`: the listener
 * takes AUTH as well as TLS at once (`tls: auto`), so the names of the states tell these apart.
 */
void explain_answers(struct explain_maker *maker, bool either, json_t *to);

/* How a client proves who it is. */
enum explain_way { EXPLAIN_PASSWORD, EXPLAIN_GSSAPI };

/*
 * Play a session until the client is logged in: under TLS, or in the clear if TLS is not to be had.
 * False: nobody can log in like this; `refusal` says why.
 */
bool explain_log_in(struct explain_maker *maker, enum explain_way way, struct simulation *simulation,
		    char refusal[static EXPLAIN_REASON_MAX]);

#endif
