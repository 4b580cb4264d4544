/*
 * Passwords of files: which ciphers decrypt them, and how long that may take. A file says itself how
 * often a password is hashed, and 2^31 times would take hours.
 */
#ifndef ATTLSD_GATEWAY_TLS_PBE_H
#define ATTLSD_GATEWAY_TLS_PBE_H

#include <stddef.h>
#include <stdint.h>

#define PBE_WHY_MAX 320

/* All hashes that one file may ask for: some seconds. Programs of today ask for 2048 to 600000 for each part.
 */
#define PBE_ITERATIONS_MAX 5000000

struct X509_algor_st;
struct ossl_lib_ctx_st;
struct ossl_provider_st;

/* For one file. All zero is closed. */
struct pbe {
	struct ossl_lib_ctx_st *libctx; /* with the old ciphers, which nothing else in attlsd gets */
	struct ossl_provider_st *standard, *legacy;
	uint64_t iterations; /* so far */
};

/* Returns 0 or -ENOMEM. */
int pbe_open(struct pbe *pbe);
void pbe_close(struct pbe *pbe);

/*
 * May and can this part of the file be decrypted, or its MAC be checked? `what` is the kind of file in a
 * command that converts it, "pkcs12" or "pkey". Returns 0, or -EINVAL and why with the fix.
 */
int pbe_check(struct pbe *pbe, const struct X509_algor_st *algorithm, const char *what,
	      char why[static PBE_WHY_MAX]);

/* The same of a cipher alone, by its name. */
int pbe_check_cipher(struct pbe *pbe, const char *cipher, const char *what, char why[static PBE_WHY_MAX]);

/* Count this number of hashes. Returns 0, or -EINVAL and why. */
int pbe_spend(struct pbe *pbe, uint64_t iterations, char why[static PBE_WHY_MAX]);

#endif
