/* The SHA-256 of a policy's file, as sha256sum(1) prints it: which policy was in force when? */
#ifndef ATTLSD_GATEWAY_TLS_POLICY_DIGEST_H
#define ATTLSD_GATEWAY_TLS_POLICY_DIGEST_H

#include <stddef.h>

#define POLICY_DIGEST_TEXT 65

/* Of no text (NULL): "". */
void policy_digest(const char *text, size_t len, char buf[static POLICY_DIGEST_TEXT]);

#endif
