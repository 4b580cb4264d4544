/*
 * JA4, a fingerprint of TLS clients that other tools print and look up as well (FoxIO's
 * technical_details/JA4.md): version, SNI, counts, ALPN, and hashes of the ciphers, and of
 * the extensions and signature algorithms.
 */
#ifndef ATTLSD_GATEWAY_NET_JA4_H
#define ATTLSD_GATEWAY_NET_JA4_H

#include "gateway/net/client-hello.h"

/* "t13d1516h2_8daaf6152771_e5627efa2ab1" and NUL. */
#define JA4_TEXT_MAX 37

/*
 * A client that resumes a session adds pre_shared_key and early_data, and would have a second
 * fingerprint. These two are left out here, so that it keeps its first.
 */
void ja4_make(const struct client_hello *hello, char ret[static JA4_TEXT_MAX]);

#endif
