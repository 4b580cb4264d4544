/* What made a TLS handshake fail, in a word. */
#ifndef ATTLSD_GATEWAY_NET_STREAM_TLS_CAUSE_H
#define ATTLSD_GATEWAY_NET_STREAM_TLS_CAUSE_H

/*
 * Why the last TLS operation failed: a value of the label "cause" in gateway/base/counters.def.
 * stream_tls_reason() has the details. Static.
 */
const char *stream_tls_cause(void);

#endif
