/* The alerts of TLS. */
#ifndef ATTLSD_GATEWAY_BASE_TLS_ALERT_H
#define ATTLSD_GATEWAY_BASE_TLS_ALERT_H

#include <stddef.h>
#include <stdint.h>

#define TLS_ALERT_CLOSE_NOTIFY 0

/* As RFC 8446 section 6 and its predecessors spell it: "bad_certificate". NULL past the end. Static. */
const char *tls_alert_at(size_t index);

/* The index of the alert with this number; SIZE_MAX: unknown. */
size_t tls_alert_find(uint8_t number);

/* "unknown_ca" for 48; "unknown" for one that is not in the table. Static. */
const char *tls_alert_name(uint8_t number);

/* What the alert of this name usually means. NULL: nothing more than its name. Static. */
const char *tls_alert_meaning(const char *name);

#endif
