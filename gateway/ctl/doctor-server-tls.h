/* doctor's look at FTP servers that speak TLS. */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_SERVER_TLS_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_SERVER_TLS_H

#include "gateway/ctl/doctor-report.h"

/*
 * Make the handshake as a session would, without a login, with the server of this backend,
 * or with each of its hosts.
 */
void doctor_check_server_tls(struct doctor *doctor, const struct policy_backend *backend);

#endif
