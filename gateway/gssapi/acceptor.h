/*
 * Accepts Kerberos tickets with the keys of a keytab: the other end of a client's
 * GSS_Init_Sec_Context. It runs in a process of its own where the keys are isolated,
 * otherwise in the worker.
 */
#ifndef ATTLSD_GATEWAY_GSSAPI_ACCEPTOR_H
#define ATTLSD_GATEWAY_GSSAPI_ACCEPTOR_H

#include "gateway/gssapi/request.h"

struct gssapi_acceptor;

/*
 * Read a keytab; after that, no file is needed. Returns 0 or a negative errno; then
 * `why` has words.
 */
int gssapi_acceptor_open(const char *keytab, char why[static GSSAPI_WHY_MAX],
			 struct gssapi_acceptor **ret_acceptor);
void gssapi_acceptor_close(struct gssapi_acceptor **acceptor);

/* One step of an exchange. The answer is filled in any case. */
void gssapi_acceptor_accept(struct gssapi_acceptor *acceptor, const struct gssapi_request *request,
			    struct gssapi_answer *answer);

#endif
