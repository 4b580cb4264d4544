/*
 * Reads the file of a key ring with its password, finds the certificates by their labels, and
 * builds their chains out of the other certificates.
 */
#include "gateway/tls/pkcs12-ring.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/host/secret-file.h"
#include "gateway/tls/password-file.h"
#include "gateway/tls/pkcs12.h"

#define LABELS_MAX  200 /* bytes of a message that lists labels */
#define MESSAGE_MAX 600
#define CHAIN_MAX   10

struct loading {
	const struct policy_keyring *keyring;
	struct diags *diags;
	const struct pkcs12 *file;
};

#define complain(l, code, ...)                                                                               \
	do {                                                                                                 \
		char text[MESSAGE_MAX];                                                                      \
		(void)snprintf(text, sizeof(text), __VA_ARGS__);                                             \
		complain_of(l, code, text);                                                                  \
	} while (0)

static void complain_of(const struct loading *l, enum diag_code code, const char *what)
{
	diags_add(l->diags, DIAG_ERROR, code, l->keyring->pkcs12_mark,
		  "cannot use the PKCS #12 file \"%s\": %s", l->keyring->pkcs12, what);
	diags_see(l->diags, l->keyring->pkcs12, (struct diag_mark){ 0 }, "the key ring");
}

/* Names of the file's certificates for a message: as many as fit. */
static const char *list_labels(const struct pkcs12 *file, char buf[static LABELS_MAX])
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < file->npairs; i++) {
		const char *label = file->pairs[i].label != NULL ? file->pairs[i].label : "";
		size_t room = LABELS_MAX - sizeof(", ...") - at;
		int n = snprintf(buf + at, room, "%s\"%s\"", at > 0 ? ", " : "", label);

		if (n < 0 || (size_t)n >= room) {
			(void)snprintf(buf + at, LABELS_MAX - at, "%s...", at > 0 ? ", " : "");
			break;
		}
		at += (size_t)n;
	}
	for (size_t i = 0; buf[i] != '\0'; i++)
		if ((unsigned char)buf[i] < ' ' || buf[i] == 0x7f)
			buf[i] = '?';
	return buf;
}

static const struct pkcs12_pair *find(const struct loading *l, const struct policy_certificate *from)
{
	const struct pkcs12_pair *found = NULL;
	char labels[LABELS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < l->file->npairs; i++) {
		const struct pkcs12_pair *pair = &l->file->pairs[i];

		if (from->label != NULL && (pair->label == NULL || strcmp(pair->label, from->label) != 0))
			continue;
		found = pair;
		n++;
	}
	if (n == 1)
		return found;
	if (l->file->npairs == 0)
		complain(l, DIAG_BAD_KEY,
			 "it has no certificate with a private key; write \"certificates: []\" if it is only "
			 "for \"trust: pkcs12\"");
	else if (from->label == NULL)
		complain(
		    l, DIAG_BAD_LABEL,
		    "it has several certificates; choose with \"certificates: [ { label: ... } ]\" among %s",
		    list_labels(l->file, labels));
	else if (n == 0)
		complain(l, DIAG_BAD_LABEL,
			 "it has no certificate with a private key and the label \"%s\"; its labels are %s",
			 from->label, list_labels(l->file, labels));
	else
		complain(l, DIAG_BAD_LABEL, "it has several certificates with the label \"%s\"", from->label);
	return NULL;
}

static X509 *issuer_of(const struct pkcs12 *file, X509 *certificate)
{
	for (int i = 0; i < sk_X509_num(file->others); i++)
		if (X509_check_issued(sk_X509_value(file->others, i), certificate) == X509_V_OK)
			return sk_X509_value(file->others, i);
	return NULL;
}

/* Clients have the root, or do not trust it. */
static bool write_chain(BIO *to, const struct pkcs12 *file, X509 *leaf)
{
	X509 *at = leaf;
	bool ok = PEM_write_bio_X509(to, leaf) == 1;

	for (int n = 0; ok && n < CHAIN_MAX && X509_self_signed(at, 0) != 1; n++) {
		at = issuer_of(file, at);
		if (at == NULL || X509_self_signed(at, 0) == 1)
			break;
		ok = PEM_write_bio_X509(to, at) == 1;
	}
	return ok;
}

static bool write_others(BIO *to, const struct pkcs12 *file)
{
	bool ok = true;

	for (int i = 0; ok && i < sk_X509_num(file->others); i++)
		ok = PEM_write_bio_X509(to, sk_X509_value(file->others, i)) == 1;
	return ok;
}

/* The text of a memory BIO. NULL: no memory. */
static char *text_of(BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);

	return len < 0 ? NULL : strndup(len == 0 ? "" : data, (size_t)len);
}

static int take_certificate(const struct loading *l, struct pkcs12_ring *ring, size_t i)
{
	const struct pkcs12_pair *pair = find(l, &l->keyring->certificates[i]);
	BIO *bio;

	if (pair == NULL)
		return 0; /* diags says why */
	bio = BIO_new(BIO_s_mem());
	if (bio != NULL && write_chain(bio, l->file, pair->leaf))
		ring->chains[i] = text_of(bio);
	BIO_free(bio);
	ring->keys[i] = EVP_PKEY_up_ref(pair->key) == 1 ? pair->key : NULL;
	return ring->chains[i] != NULL && ring->keys[i] != NULL ? 0 : -ENOMEM;
}

static int take_trust(const struct loading *l, struct pkcs12_ring *ring)
{
	BIO *bio;

	if (!l->keyring->trust_pkcs12)
		return 0;
	if (sk_X509_num(l->file->others) == 0) {
		complain(
		    l, DIAG_NO_TRUST,
		    "it has no certificates of authorities for \"trust: pkcs12\"; add them to the file, or name "
		    "another one in \"trust\"");
		return 0;
	}
	bio = BIO_new(BIO_s_mem());
	if (bio != NULL && write_others(bio, l->file))
		ring->trust = text_of(bio);
	BIO_free(bio);
	return ring->trust != NULL ? 0 : -ENOMEM;
}

/* Whoever may read the file has only the password to guess; attlsctl doctor looks at its mode. */
static int open_file(struct loading *l, struct pkcs12 **ret_file)
{
	uint8_t *bytes = malloc(PKCS12_BYTES_MAX + 1);
	char *password = NULL, why[PBE_WHY_MAX];
	struct secret_file state;
	ssize_t n;
	int r = bytes == NULL ? -ENOMEM : 0;

	if (r == 0 && l->keyring->password_file != NULL)
		r = password_file_read(l->keyring->password_file, l->keyring->password_file_mark, l->diags,
				       &password);
	if (r < 0) {
		free(bytes);
		return r;
	}
	n = secret_file_read_exposed(l->keyring->pkcs12, (char *)bytes, PKCS12_BYTES_MAX + 1, &state);
	r = n < 0 ? (int)n : n > PKCS12_BYTES_MAX ? -EFBIG : 0;
	if (r < 0)
		complain_of(l, DIAG_FILE_UNREADABLE, n < 0 ? state.why : "it has more than 1 MiB");
	else if ((r = pkcs12_open(bytes, (size_t)n, password, ret_file, why)) < 0)
		complain(l, DIAG_BAD_KEY,
			 l->keyring->password_file != NULL ? "%s (password_file: %.300s)" : "%s", why,
			 l->keyring->password_file);
	password_file_free(&password);
	explicit_bzero(bytes, PKCS12_BYTES_MAX + 1);
	free(bytes);
	return r;
}

int pkcs12_ring_load(const struct policy_keyring *keyring, struct diags *diags, struct pkcs12_ring **ret_ring)
{
	struct pkcs12_ring *ring = calloc(1, sizeof(*ring));
	struct loading l = { .keyring = keyring, .diags = diags };
	size_t errors = diags->nerrors;
	struct pkcs12 *file = NULL;
	int r = -ENOMEM;

	if (ring == NULL)
		return r;
	ring->n = keyring->ncertificates;
	ring->chains = calloc(ring->n + 1, sizeof(*ring->chains));
	ring->keys = calloc(ring->n + 1, sizeof(*ring->keys));
	if (ring->chains != NULL && ring->keys != NULL)
		r = open_file(&l, &file);
	l.file = file;
	for (size_t i = 0; r == 0 && i < ring->n; i++)
		r = take_certificate(&l, ring, i);
	if (r == 0)
		r = take_trust(&l, ring);
	if (r != -ENOMEM && diags->nerrors > errors)
		r = -EINVAL;
	if (r == 0) {
		*ret_ring = ring;
		ring = NULL;
	}
	pkcs12_close(&file);
	pkcs12_ring_free(&ring);
	ERR_clear_error();
	return r;
}

void pkcs12_ring_free(struct pkcs12_ring **ring)
{
	if (*ring == NULL)
		return;
	for (size_t i = 0; i < (*ring)->n; i++) {
		if ((*ring)->chains != NULL)
			free((*ring)->chains[i]);
		if ((*ring)->keys != NULL)
			EVP_PKEY_free((*ring)->keys[i]);
	}
	free((*ring)->chains);
	free((*ring)->keys);
	free((*ring)->trust);
	free(*ring);
	*ring = NULL;
}
