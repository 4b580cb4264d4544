/*
 * One line a session that says how it was protected and what it did
 * (ftp_actions.*.session_summary), for auditors: what SMF 119 subtype 12 (zERT) says on z/OS.
 * What it needs is collected only if policy wants that line.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_SUMMARY_H
#define ATTLSD_GATEWAY_WORKER_SESSION_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/net/stream.h"
#include "gateway/worker/session-audit.h"

/* A handshake has succeeded: for the summary and the audit trail. identity: as in session_audit_tls(). */
void session_summary_tls(const struct facts *facts, enum audit_leg leg, bool data,
			 const struct stream *stream, const struct identity *identity);

/* A transfer is over. client: the protection of the client's data. */
void session_summary_transfer(const struct facts *facts, bool upload, uint64_t bytes,
			      enum secure_level client, enum ftp_data_result result);

/* Bytes have followed a file on a data connection that is kept open; they belong to no transfer. */
void session_summary_bytes(const struct facts *facts, bool upload, uint64_t bytes);

/* The session is over: write the line, if policy wants one. user: of the log; cleared: after CCC. */
struct session_over {
	const char *user, *reason;
	uint64_t ms;
	bool cleared;
};
void session_summary_write(const struct facts *facts, const struct session_over *over);

/* Free what was collected. */
void session_summary_done(struct session_summary *summary);

#endif
