/* Data connections of clients under AUTH GSSAPI: PROT S, E and P. */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_GSSAPI_H
#define ATTLSD_GATEWAY_WORKER_DATA_GSSAPI_H

#include "gateway/worker/data-leg.h"

/*
 * Protect the client's leg: if it is open, it is ready then. FTP_DATA_PENDING, or why not. With
 * FTP_PROT_CLEAR, nothing happens.
 */
enum ftp_data_result data_gssapi_start(struct data_legs *legs, enum ftp_prot level, uint32_t block,
				       bool upload);

/* The client's end of an upload: what such a result is called under GSSAPI, if that is in force. */
enum ftp_data_result data_gssapi_result(const struct stream *client, enum ftp_data_result result);

#endif
