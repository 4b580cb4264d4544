/*
 * TLS on the control connection to the server: the way in (implicit, or after the
 * server has agreed to AUTH), and the way out (CCC).
 */
#ifndef ATTLSD_GATEWAY_WORKER_SERVER_TLS_H
#define ATTLSD_GATEWAY_WORKER_SERVER_TLS_H

#include "gateway/worker/session-state.h"

/* The server is about to be dialled. Returns 0; -EACCES: policy has no name for its address; or -ENOMEM. */
int server_tls_prepare(struct session *session);

/* The server is connected. True: the handshake comes first and has begun, and no greeting is awaited yet. */
bool server_tls_connected(struct session *session);

/* FTP_DO_SERVER_TLS_START and FTP_DO_SERVER_TLS_STOP. */
void server_tls_start(struct session *session);
void server_tls_stop(struct session *session, bool notify);

/* The server's socket is ready in SERVER_HANDSHAKE or SERVER_LEAVING_TLS, or its timer has run out. */
void server_tls_step(struct session *session);
void server_tls_timeout(struct session *session);

/* Reading has failed: was it TLS, such as an alert of the server's? Then that is logged, and ends the
 * session. */
void server_tls_look(struct session *session);

/* Does this command wait until the server has left TLS? It is then sent later. */
bool server_tls_holds(struct session *session, const char *text, size_t len);

/* The user has logged in: sessions that begin from now on may resume this one's TLS. */
void server_tls_logged_in(struct session *session);

/* The server is gone. Has TLS failed? Then that is what the machine hears. */
bool server_tls_has_failed(const struct session *session, enum ftp_signal *ret_signal);

/* The connection is about to be closed in order. */
void server_tls_finish(struct session *session);

/* The connection is closed: the next one begins anew. */
void server_tls_forget(struct session *session);
void server_tls_free(struct session *session);

#endif
