/* Names for the fingerprints of well-known clients. */
#ifndef ATTLSD_GATEWAY_VIEW_JA4_NAMES_H
#define ATTLSD_GATEWAY_VIEW_JA4_NAMES_H

/* "curl with OpenSSL 3.0"; NULL: this fingerprint has no name. */
const char *ja4_name(const char *ja4);

#endif
