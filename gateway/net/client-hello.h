/*
 * What a client offers in its ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2).
 *
 * Read from the message itself: OpenSSL's own functions leave out the extensions that it
 * does not know, which are part of a fingerprint.
 */
#ifndef ATTLSD_GATEWAY_NET_CLIENT_HELLO_H
#define ATTLSD_GATEWAY_NET_CLIENT_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No client has as many; a list that is longer makes the message unreadable for this purpose. */
#define CLIENT_HELLO_LIST_MAX 160

/* Numbers in the order in which they were sent, without GREASE (RFC 8701). */
struct client_hello_list {
	uint16_t numbers[CLIENT_HELLO_LIST_MAX];
	size_t n;
};

struct client_hello {
	uint16_t version; /* the highest that it offers, 0x0304 for TLS 1.3 */
	struct client_hello_list ciphers;
	struct client_hello_list extensions; /* types */
	struct client_hello_list signatures; /* of signature_algorithms */
	struct client_hello_list groups;
	bool has_alpn;		       /* with a name that is not empty */
	uint8_t alpn_first, alpn_last; /* the first and last byte of the first name */
};

/*
 * Read a handshake message, with its header of four bytes. False: it is no ClientHello, or
 * malformed, or has too long a list.
 */
bool client_hello_read(const uint8_t *bytes, size_t len, struct client_hello *ret);

/* Is a number on the list? */
bool client_hello_has(const struct client_hello_list *list, uint16_t number);

#endif
