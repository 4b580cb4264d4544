/* What data connections show of their client, see base/habits.h. */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_HABITS_H
#define ATTLSD_GATEWAY_WORKER_DATA_HABITS_H

#include <stdbool.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/worker/facts.h"

struct stream;

/* A client's data connection has made its handshake. */
void data_habits_handshake(const struct facts *facts, const struct stream *stream);

/* The data part of a transfer is over. protect: it was to be under TLS. */
void data_habits_transfer(const struct facts *facts, bool upload, bool protect, enum ftp_data_result result);

/* Does policy offer this client TLS, so that a connection in the clear is its own choice? */
bool facts_offer_tls(const struct facts *facts);

#endif
