/*
 * A ring of ticket keys, newest first, and OpenSSL's callback that uses them. Only
 * key_make() knows where a key comes from: it is random, so each worker has its own.
 */
#include "gateway/tls/tlsctx-tickets.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES   16 /* of the callback's key_name */
#define SECRET_BYTES 32 /* of AES-256 and of HMAC-SHA-256 */
#define MS_PER_S     1000
/* With a short rotation and a long session_timeout, the oldest keys go early. */
#define KEYS_MAX 1024

struct ticket_key {
	uint8_t name[NAME_BYTES];
	uint8_t cipher[SECRET_BYTES];
	uint8_t mac[SECRET_BYTES];
	uint64_t since_ms; /* when it became the newest */
};

struct tlsctx_tickets {
	uint64_t rotation_ms;
	uint64_t lifetime_ms; /* of a ticket */
	bool begun;	      /* the first key has its time */
	size_t n;
	size_t max;
	struct ticket_key keys[]; /* the newest first */
};

static int tickets_index = -1;

static int key_make(struct ticket_key *key, uint64_t now_ms)
{
	key->since_ms = now_ms;
	return RAND_bytes(key->name, sizeof(key->name)) == 1 &&
		       RAND_priv_bytes(key->cipher, sizeof(key->cipher)) == 1 &&
		       RAND_priv_bytes(key->mac, sizeof(key->mac)) == 1
		   ? 0
		   : -ENOMEM;
}

/* The place of the key with this name; tickets->n: there is none. */
static size_t find_key(const struct tlsctx_tickets *tickets, const uint8_t name[static NAME_BYTES])
{
	size_t i = 0;

	while (i < tickets->n && memcmp(tickets->keys[i].name, name, NAME_BYTES) != 0)
		i++;
	return i;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 0 no such key, 1 it is the newest, 2 make the ticket anew. */
static int on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
			 EVP_MAC_CTX *mac, int encrypt)
{
	struct tlsctx_tickets *tickets = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), tickets_index);
	size_t at = encrypt ? 0 : find_key(tickets, name);
	struct ticket_key *key = &tickets->keys[at];
	char digest[] = "SHA256";
	OSSL_PARAM params[3];

	if (at == tickets->n)
		return 0;
	if (encrypt) {
		memcpy(name, key->name, NAME_BYTES);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
			return -1;
	}
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac));
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
	params[2] = OSSL_PARAM_construct_end();
	if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, encrypt) != 1 ||
	    EVP_MAC_CTX_set_params(mac, params) != 1)
		return -1;
	return at == 0 ? 1 : 2;
}

int tlsctx_tickets_use(const struct tls_action *action, SSL_CTX *ctx, struct tlsctx_tickets **ret_tickets)
{
	/* the newest, those that were newest while a living ticket was made, and one that is about to go */
	size_t max = action->session_timeout_s / action->session_ticket_rotation_s + 3;
	struct tlsctx_tickets *tickets;

	if (max > KEYS_MAX)
		max = KEYS_MAX;
	if (tickets_index == -1)
		tickets_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	tickets = calloc(1, sizeof(*tickets) + max * sizeof(tickets->keys[0]));
	if (tickets_index == -1 || tickets == NULL || key_make(&tickets->keys[0], 0) < 0 ||
	    SSL_CTX_set_ex_data(ctx, tickets_index, tickets) != 1 ||
	    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket_key) != 1) {
		free(tickets);
		return -ENOMEM;
	}
	tickets->n = 1;
	tickets->max = max;
	tickets->rotation_ms = (uint64_t)action->session_ticket_rotation_s * MS_PER_S;
	/* OpenSSL counts whole seconds, and the second in which a ticket expires is still good */
	tickets->lifetime_ms = ((uint64_t)action->session_timeout_s + 1) * MS_PER_S;
	*ret_tickets = tickets;
	return 0;
}

void tlsctx_tickets_free(struct tlsctx_tickets **tickets)
{
	if (*tickets == NULL)
		return;
	explicit_bzero((*tickets)->keys, (*tickets)->max * sizeof((*tickets)->keys[0]));
	free(*tickets);
	*tickets = NULL;
}

static void wipe_oldest(struct tlsctx_tickets *tickets)
{
	tickets->n--;
	explicit_bzero(&tickets->keys[tickets->n], sizeof(tickets->keys[0]));
}

/* When the last ticket of the oldest key expires: its successor began as it ended. */
static uint64_t oldest_ends_ms(const struct tlsctx_tickets *tickets)
{
	return tickets->keys[tickets->n - 2].since_ms + tickets->lifetime_ms;
}

static uint64_t until(uint64_t then_ms, uint64_t now_ms)
{
	return then_ms > now_ms ? then_ms - now_ms : 0;
}

uint64_t tlsctx_tickets_rotate(struct tlsctx_tickets *tickets, uint64_t now_ms)
{
	uint64_t next_ms;

	if (!tickets->begun)
		tickets->keys[0].since_ms = now_ms;
	tickets->begun = true;
	while (tickets->n > 1 && oldest_ends_ms(tickets) <= now_ms)
		wipe_oldest(tickets);
	if (until(tickets->keys[0].since_ms + tickets->rotation_ms, now_ms) == 0) {
		struct ticket_key key;

		if (key_make(&key, now_ms) < 0)
			return tickets->rotation_ms; /* the old one stays */
		if (tickets->n == tickets->max)
			wipe_oldest(tickets);
		memmove(&tickets->keys[1], &tickets->keys[0], tickets->n * sizeof(key));
		tickets->keys[0] = key;
		tickets->n++;
		explicit_bzero(&key, sizeof(key));
	}
	next_ms = until(tickets->keys[0].since_ms + tickets->rotation_ms, now_ms);
	if (tickets->n > 1 && until(oldest_ends_ms(tickets), now_ms) < next_ms)
		next_ms = until(oldest_ends_ms(tickets), now_ms);
	return next_ms;
}
