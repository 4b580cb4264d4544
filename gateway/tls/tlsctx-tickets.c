/*
 * A ring of ticket keys, newest first, or a set of them that is replaced as a whole, and OpenSSL's
 * callback that uses them. Each key is derived (HKDF, RFC 5869) from a seed and a digest of the
 * tls_action and its certificates.
 */
#include "gateway/tls/tlsctx-tickets.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"

#define NAME_BYTES   16 /* of the callback's key_name */
#define SECRET_BYTES 32 /* of AES-256 and of HMAC-SHA-256 */
#define MS_PER_S     1000
#define NEVER_MS     (24 * 60 * 60 * UINT64_C(1000)) /* nothing is to be done: look again then */

struct ticket_key {
	struct {
		uint8_t name[NAME_BYTES];
		uint8_t cipher[SECRET_BYTES];
		uint8_t mac[SECRET_BYTES];
	} part;
	uint64_t since_ms; /* when it became the newest */
};

struct tlsctx_tickets {
	uint64_t lifetime_ms;		 /* of a ticket */
	uint8_t action[EVP_MAX_MD_SIZE]; /* digest of what the tls_action says */
	size_t n;
	size_t max;
	size_t set_n; /* so many of the keys are of a set, and no others come; 0: there is no set */
	struct ticket_set coming; /* what has come of the next one */
	struct ticket_key keys[]; /* the newest first; or those of the set, and one of the set before */
};

static int tickets_index = -1;

/* A client that comes back has to see a new certificate, so each one counts. */
static bool digest_certificates(SSL_CTX *ctx, EVP_MD_CTX *md)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned int len;
	bool ok = true;

	for (int more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST); ok && more == 1;
	     more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_NEXT)) {
		const X509 *leaf = SSL_CTX_get0_certificate(ctx);

		if (leaf != NULL)
			ok = X509_digest(leaf, EVP_sha256(), hash, &len) == 1 &&
			     EVP_DigestUpdate(md, hash, len) == 1;
	}
	return ok;
}

/* Of all that decides which sessions may come up under this action. */
static int digest_action(const struct tls_action *action, SSL_CTX *ctx, uint8_t ret[static EVP_MAX_MD_SIZE])
{
	char numbers[64];
	const char *const words[] = {
		"attlsd session tickets 1",
		action->name,
		action->ciphersuites,
		action->ciphers,
		action->groups,
		action->signature_algorithms,
		numbers,
	};
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;

	(void)snprintf(numbers, sizeof(numbers), "%d %d %d %u %d %u %u", (int)action->role,
		       (int)action->client_auth_type, (int)action->server_handshake_sni, action->versions,
		       (int)action->suite_b_profile, (unsigned)action->peer_min_rsa_key_size,
		       (unsigned)action->peer_min_ecc_key_size);
	for (size_t i = 0; ok && i < NELEM(words); i++) {
		const char *word = words[i] != NULL ? words[i] : "";

		/* with its NUL: words cannot run together */
		ok = EVP_DigestUpdate(md, word, strlen(word) + 1) == 1;
	}
	ok = ok && digest_certificates(ctx, md) && EVP_DigestFinal_ex(md, ret, NULL) == 1;
	EVP_MD_CTX_free(md);
	return ok ? 0 : -ENOMEM;
}

static int derive(const struct tlsctx_tickets *tickets, const uint8_t seed[static TICKET_SEED_BYTES],
		  struct ticket_key *key)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)seed,
						  TICKET_SEED_BYTES),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)tickets->action,
						  SECRET_BYTES),
		OSSL_PARAM_construct_end(),
	};
	int ok = ctx != NULL && EVP_KDF_derive(ctx, (uint8_t *)&key->part, sizeof(key->part), params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok ? 0 : -ENOMEM;
}

/* The place of the key with this name; tickets->n: there is none. */
static size_t find_key(const struct tlsctx_tickets *tickets, const uint8_t name[static NAME_BYTES])
{
	size_t i = 0;

	while (i < tickets->n && memcmp(tickets->keys[i].part.name, name, NAME_BYTES) != 0)
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
		memcpy(name, key->part.name, NAME_BYTES);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
			return -1;
	}
	params[0] =
	    OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->part.mac, sizeof(key->part.mac));
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
	params[2] = OSSL_PARAM_construct_end();
	if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->part.cipher, iv, encrypt) != 1 ||
	    EVP_MAC_CTX_set_params(mac, params) != 1)
		return -1;
	return at == 0 ? 1 : 2;
}

static int add_seeds(struct tlsctx_tickets *tickets, const struct ticket_seeds *seeds)
{
	for (; tickets->n < seeds->n && tickets->n < tickets->max; tickets->n++) {
		const struct ticket_seed *seed = &seeds->list[tickets->n];
		struct ticket_key *key = &tickets->keys[tickets->n];

		key->since_ms = seed->since_ms;
		if (derive(tickets, seed->bytes, key) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_random(struct tlsctx_tickets *tickets)
{
	uint8_t seed[TICKET_SEED_BYTES];
	int r = RAND_priv_bytes(seed, sizeof(seed)) == 1 ? 0 : -ENOMEM;

	if (r == 0)
		r = derive(tickets, seed, &tickets->keys[0]);
	explicit_bzero(seed, sizeof(seed));
	tickets->n = 1;
	return r;
}

static int add_set(struct tlsctx_tickets *tickets, const struct ticket_set *set)
{
	int r = 0;

	for (size_t i = 0; i < set->n && r == 0; i++)
		r = derive(tickets, set->seeds[i], &tickets->keys[i]);
	tickets->n = tickets->set_n = set->n;
	return r;
}

static size_t room_for(const struct tls_action *action, const struct ticket_set *set)
{
	/* the newest, those that were newest while a living ticket was made, and one that is about to go */
	size_t max = action->session_timeout_s / action->session_ticket_rotation_s + 3;

	if (set != NULL)
		return TICKET_SET_MAX + 1;
	return max < TICKET_SEEDS_MAX ? max : TICKET_SEEDS_MAX;
}

int tlsctx_tickets_use(const struct tls_action *action, const struct ticket_seeds *seeds,
		       const struct ticket_set *set, SSL_CTX *ctx, struct tlsctx_tickets **ret_tickets)
{
	size_t max = room_for(action, set);
	struct tlsctx_tickets *tickets;
	int r;

	if (tickets_index == -1)
		tickets_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	tickets = calloc(1, sizeof(*tickets) + max * sizeof(tickets->keys[0]));
	if (tickets_index == -1 || tickets == NULL) {
		free(tickets);
		return -ENOMEM;
	}
	tickets->max = max;
	/* OpenSSL counts whole seconds, and the second in which a ticket expires is still good */
	tickets->lifetime_ms = ((uint64_t)action->session_timeout_s + 1) * MS_PER_S;
	seeds = ticket_seeds_find(seeds, action->session_ticket_rotation_s);
	r = digest_action(action, ctx, tickets->action);
	if (r == 0)
		r = set != NULL	    ? add_set(tickets, set)
		    : seeds != NULL ? add_seeds(tickets, seeds)
				    : add_random(tickets);
	if (r < 0 || SSL_CTX_set_ex_data(ctx, tickets_index, tickets) != 1 ||
	    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket_key) != 1) {
		tlsctx_tickets_free(&tickets);
		return -ENOMEM;
	}
	*ret_tickets = tickets;
	return 0;
}

void tlsctx_tickets_free(struct tlsctx_tickets **tickets)
{
	if (*tickets == NULL)
		return;
	explicit_bzero(&(*tickets)->coming, sizeof((*tickets)->coming));
	explicit_bzero((*tickets)->keys, (*tickets)->max * sizeof((*tickets)->keys[0]));
	free(*tickets);
	*tickets = NULL;
}

static void wipe_oldest(struct tlsctx_tickets *tickets)
{
	tickets->n--;
	explicit_bzero(&tickets->keys[tickets->n], sizeof(tickets->keys[0]));
}

void tlsctx_tickets_renew(struct tlsctx_tickets *tickets, const struct ticket_seed *seed)
{
	struct ticket_key key = { .since_ms = seed->since_ms };

	if (tickets->set_n > 0 || seed->since_ms <= tickets->keys[0].since_ms ||
	    derive(tickets, seed->bytes, &key) < 0)
		return; /* the last key stays the newest */
	if (tickets->n == tickets->max)
		wipe_oldest(tickets);
	memmove(&tickets->keys[1], &tickets->keys[0], tickets->n * sizeof(key));
	tickets->keys[0] = key;
	tickets->n++;
	explicit_bzero(&key, sizeof(key));
}

/* Keys of a set take their places; the one that has encrypted follows them, unless it is among them. */
static void take_set(struct tlsctx_tickets *tickets, const struct ticket_key *keys, size_t n, uint64_t now_ms)
{
	struct ticket_key last = tickets->keys[0];

	explicit_bzero(tickets->keys, tickets->max * sizeof(tickets->keys[0]));
	memcpy(tickets->keys, keys, n * sizeof(*keys));
	tickets->n = tickets->set_n = n;
	if (find_key(tickets, last.part.name) == n) {
		last.since_ms = now_ms;
		tickets->keys[tickets->n++] = last;
	}
	explicit_bzero(&last, sizeof(last));
}

void tlsctx_tickets_replace(struct tlsctx_tickets *tickets, const struct ticket_part *part, uint64_t now_ms)
{
	struct ticket_key keys[TICKET_SET_MAX];
	int r = 0;

	if (tickets->set_n == 0 || !ticket_set_gather(&tickets->coming, part))
		return;
	for (size_t i = 0; i < tickets->coming.n && r == 0; i++)
		r = derive(tickets, tickets->coming.seeds[i], &keys[i]);
	if (r == 0) /* otherwise the last set goes on, and the next one comes with the next epoch */
		take_set(tickets, keys, tickets->coming.n, now_ms);
	explicit_bzero(&tickets->coming, sizeof(tickets->coming));
	explicit_bzero(keys, sizeof(keys));
}

/*
 * When the last ticket of the oldest key expires: its successor began as it ended. Only one key that is
 * not in the set any more has an end.
 */
static uint64_t oldest_ends_ms(const struct tlsctx_tickets *tickets)
{
	if (tickets->set_n > 0)
		return tickets->n > tickets->set_n
			   ? tickets->keys[tickets->set_n].since_ms + tickets->lifetime_ms
			   : UINT64_MAX;
	return tickets->keys[tickets->n - 2].since_ms + tickets->lifetime_ms;
}

uint64_t tlsctx_tickets_expire(struct tlsctx_tickets *tickets, uint64_t now_ms)
{
	while (tickets->n > 1 && oldest_ends_ms(tickets) <= now_ms)
		wipe_oldest(tickets);
	if (tickets->n <= 1 || oldest_ends_ms(tickets) == UINT64_MAX)
		return NEVER_MS;
	return oldest_ends_ms(tickets) - now_ms;
}
