/* A certificate for a first try. */
#ifndef ATTLSD_GATEWAY_CTL_THROWAWAY_H
#define ATTLSD_GATEWAY_CTL_THROWAWAY_H

#include <stddef.h>

#define THROWAWAY_DAYS 30

/* PEM texts; throwaway_done() wipes and frees them. */
struct throwaway {
	char *certificate, *key;
	size_t certificate_len, key_len;
};

/* For these host names and addresses, at least one. Returns 0 or -1: OpenSSL refuses. */
int throwaway_make(const char *const *names, size_t n, struct throwaway *ret);
void throwaway_done(struct throwaway *made);

#endif
