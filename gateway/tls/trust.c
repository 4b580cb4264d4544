/*
 * Loads the authorities and CRLs that a key ring trusts into an X509_STORE, and
 * warns of what would refuse every client: no root, no CRL, an expired CRL.
 */
#include "gateway/tls/trust.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/tls/certs-file.h"
#include "gateway/tls/pkcs12-ring.h"
#include "gateway/tls/trust-limits.h"

/* Clients get the names of the authorities, but not more than many of them can read (bytes of DER). */
#define CLIENT_CA_LIST_MAX 16000
/* "1a2b3c4d.0" */
#define HASHED_NAME_HEX 8

struct trust {
	X509_STORE *store;
	STACK_OF(X509_NAME) * names; /* of the authorities, to be sent; empty: none are named */
	ASN1_TIME *crl_end;	     /* of the CRL that expires first; NULL: none does */
};

/* The state of one load. */
struct loading {
	const struct policy_keyring *keyring;
	struct trust *trust;
	struct diags *diags;
	size_t names_len;
	size_t nauthorities;
	bool has_root;
};

static int add_name(struct loading *l, const X509_NAME *name)
{
	X509_NAME *copy;
	int len = i2d_X509_NAME(name, NULL);

	l->names_len += len > 0 ? (size_t)len : 0;
	for (int i = 0; i < sk_X509_NAME_num(l->trust->names); i++)
		if (X509_NAME_cmp(sk_X509_NAME_value(l->trust->names, i), name) == 0)
			return 0;
	copy = X509_NAME_dup(name);
	if (copy == NULL || sk_X509_NAME_push(l->trust->names, copy) == 0) {
		X509_NAME_free(copy);
		return -ENOMEM;
	}
	return 0;
}

static int add_authority(struct loading *l, X509 *authority)
{
	if (X509_STORE_add_cert(l->trust->store, authority) != 1)
		return -ENOMEM;
	l->nauthorities++;
	if (X509_self_signed(authority, 0) == 1)
		l->has_root = true;
	return l->keyring->trust_system ? 0 : add_name(l, X509_get_subject_name(authority));
}

/*
 * All certificates of a file, or of its content if that is not NULL. A file without any is a fault, and so is
 * a broken one after the first.
 */
static int load_text(struct loading *l, const char *text, const char *path)
{
	BIO *bio = certs_file_open_kept(text, path, l->keyring->trust_mark, "trusted certificates", l->diags);
	X509 *authority;
	size_t n = 0;
	int r = 0;

	if (bio == NULL)
		return 0;
	while (r == 0 &&
	       (authority = PEM_read_bio_X509_AUX(bio, NULL, certs_file_passphrase, NULL)) != NULL) {
		r = add_authority(l, authority);
		X509_free(authority);
		n++;
	}
	if (r == 0 && (n == 0 || !certs_file_at_end())) {
		diags_add(l->diags, DIAG_ERROR, DIAG_BAD_CERTIFICATE, l->keyring->trust_mark,
			  "%s in \"%s\": %s", n == 0 ? "no certificate" : "a certificate is broken", path,
			  certs_file_reason());
		diags_see(l->diags, path, (struct diag_mark){ 0 }, "the authorities");
	}
	ERR_clear_error();
	BIO_free(bio);
	return r;
}

static int load_file(struct loading *l, const char *path)
{
	return load_text(l, NULL, path);
}

/* The authorities of a PKCS #12 file, which workers have from the process that loaded the policy. */
static int load_pkcs12(struct loading *l)
{
	struct pkcs12_ring *ring = NULL;
	int r;

	if (l->keyring->trust_pem != NULL)
		return load_text(l, l->keyring->trust_pem, l->keyring->trust);
	r = pkcs12_ring_load(l->keyring, l->diags, &ring);
	if (r == 0)
		r = load_text(l, ring->trust, l->keyring->trust);
	pkcs12_ring_free(&ring);
	return r == -EINVAL ? 0 : r; /* diags says why */
}

/* Of the names that openssl-rehash makes, those of certificates: hash, dot, number. */
static bool is_hashed_name(const char *name)
{
	const char *rest = name + HASHED_NAME_HEX + 1;

	return strspn(name, "0123456789abcdef") == HASHED_NAME_HEX && name[HASHED_NAME_HEX] == '.' &&
	       *rest != '\0' && rest[strspn(rest, "0123456789")] == '\0';
}

static int load_folder(struct loading *l, const char *folder)
{
	DIR *dir = opendir(folder);
	size_t before = l->nauthorities;
	size_t errors = l->diags->nerrors;
	const struct dirent *entry;
	int r = 0;

	if (dir == NULL) {
		diags_add(l->diags, DIAG_ERROR, DIAG_FILE_UNREADABLE, l->keyring->trust_mark,
			  "cannot read the trusted certificates \"%s\": %s", folder, strerror(errno));
		return 0;
	}
	while (r == 0 && (entry = readdir(dir)) != NULL) {
		char *path;

		if (!is_hashed_name(entry->d_name))
			continue;
		if (asprintf(&path, "%s/%s", folder, entry->d_name) == -1) {
			r = -ENOMEM;
			break;
		}
		r = load_file(l, path);
		free(path);
	}
	(void)closedir(dir);
	if (r == 0 && l->nauthorities == before && l->diags->nerrors == errors && !l->keyring->trust_system)
		diags_add(
		    l->diags, DIAG_ERROR, DIAG_UNHASHED_FOLDER, l->keyring->trust_mark,
		    "the folder \"%s\" has no certificate under its hashed name; run \"openssl rehash\" on it",
		    folder);
	return r;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* "*AUTH*", slash, "*": the file and the folder where OpenSSL looks for authorities; one is enough. */
static int load_system(struct loading *l)
{
	const char *file = getenv(X509_get_default_cert_file_env());
	const char *folder = getenv(X509_get_default_cert_dir_env());
	int r = 0;

	file = file != NULL ? file : X509_get_default_cert_file();
	folder = folder != NULL ? folder : X509_get_default_cert_dir();
	if (access(file, F_OK) == 0)
		r = load_file(l, file);
	if (r == 0 && is_folder(folder))
		r = load_folder(l, folder);
	if (r == 0 && l->nauthorities == 0)
		diags_add(l->diags, DIAG_ERROR, DIAG_FILE_UNREADABLE, l->keyring->trust_mark,
			  "the system has no certificates of authorities in \"%s\" or \"%s\"", file, folder);
	return r;
}

static int load_authorities(struct loading *l)
{
	const char *path = l->keyring->trust;
	size_t errors = l->diags->nerrors;
	int r;

	if (l->keyring->trust_system)
		return load_system(l);
	if (path == NULL)
		return 0;
	if (l->keyring->trust_pkcs12)
		r = load_pkcs12(l);
	else
		r = is_folder(path) ? load_folder(l, path) : load_file(l, path);
	if (r < 0 || l->diags->nerrors > errors)
		return r;
	if (!l->has_root) {
		diags_add(
		    l->diags, DIAG_WARNING, DIAG_NO_SELF_SIGNED, l->keyring->trust_mark,
		    "no certificate in \"%s\" is self-signed, but the chain of a client's certificate must "
		    "end in one",
		    path);
		diags_see(l->diags, path, (struct diag_mark){ 0 }, "the authorities");
	}
	if (l->names_len > CLIENT_CA_LIST_MAX)
		while (sk_X509_NAME_num(l->trust->names) > 0)
			X509_NAME_free(sk_X509_NAME_pop(l->trust->names));
	return 0;
}

/* The gateway would refuse every certificate of these. */
static void warn_without_crl(const struct loading *l)
{
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(l->trust->store);

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
		bool found = authority == NULL;
		char *text;

		for (int j = 0; j < sk_X509_OBJECT_num(objects) && !found; j++) {
			X509_CRL *crl = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(objects, j));

			found = crl != NULL && X509_NAME_cmp(X509_CRL_get_issuer(crl),
							     X509_get_subject_name(authority)) == 0;
		}
		if (found)
			continue;
		text = X509_NAME_oneline(X509_get_subject_name(authority), NULL, 0);
		diags_add(
		    l->diags, DIAG_WARNING, DIAG_CRL_MISSING, l->keyring->crl_mark,
		    "\"%s\" has no CRL of the authority \"%.200s\", so certificates of that authority are refused",
		    l->keyring->crl, text != NULL ? text : "?");
		diags_see(l->diags, l->keyring->crl, (struct diag_mark){ 0 }, "the CRLs");
		OPENSSL_free(text);
	}
}

static const X509_CRL *crl_at(const struct trust *trust, int i)
{
	return X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(X509_STORE_get0_objects(trust->store), i));
}

/* When the last CRL of that authority expires, which is the one that counts; NULL: one never does. */
static const ASN1_TIME *end_of_issuer(const struct trust *trust, const X509_NAME *issuer)
{
	const ASN1_TIME *last = NULL;

	for (int i = 0; i < sk_X509_OBJECT_num(X509_STORE_get0_objects(trust->store)); i++) {
		const X509_CRL *crl = crl_at(trust, i);
		const ASN1_TIME *end;

		if (crl == NULL || X509_NAME_cmp(X509_CRL_get_issuer(crl), issuer) != 0)
			continue;
		end = X509_CRL_get0_nextUpdate(crl);
		if (end == NULL)
			return NULL;
		if (last == NULL || ASN1_TIME_compare(end, last) == 1)
			last = end;
	}
	return last;
}

/* Find the CRL that expires first, and warn of one that has expired. */
static int note_ends(struct loading *l)
{
	struct trust *trust = l->trust;
	bool said = false;

	for (int i = 0; i < sk_X509_OBJECT_num(X509_STORE_get0_objects(trust->store)); i++) {
		const X509_CRL *crl = crl_at(trust, i);
		const ASN1_TIME *end = crl == NULL ? NULL : end_of_issuer(trust, X509_CRL_get_issuer(crl));

		if (end == NULL)
			continue;
		if (X509_cmp_current_time(end) < 0 && !said) {
			diags_add(l->diags, DIAG_WARNING, DIAG_CRL_EXPIRED, l->keyring->crl_mark,
				  "a CRL in \"%s\" has expired, so all "
				  "certificates of that authority are refused",
				  l->keyring->crl);
			diags_see(l->diags, l->keyring->crl, (struct diag_mark){ 0 }, "the CRLs");
			said = true;
		}
		if (trust->crl_end == NULL || ASN1_TIME_compare(end, trust->crl_end) == -1) {
			ASN1_STRING_free(trust->crl_end);
			trust->crl_end = ASN1_STRING_dup(end);
			if (trust->crl_end == NULL)
				return -ENOMEM;
		}
	}
	return 0;
}

bool trust_crl_left(const struct trust *trust, int64_t *ret_left_s)
{
	int days, seconds;

	if (trust->crl_end == NULL || ASN1_TIME_diff(&days, &seconds, NULL, trust->crl_end) != 1)
		return false;
	*ret_left_s = (int64_t)days * 24 * 60 * 60 + seconds;
	return true;
}

static X509 *authority_at(const X509_STORE *store, int i)
{
	return X509_OBJECT_get0_X509(sk_X509_OBJECT_value(X509_STORE_get0_objects(store), i));
}

bool trust_store_has_several(const X509_STORE *store)
{
	const X509_NAME *first = NULL;

	for (int i = 0; i < sk_X509_OBJECT_num(X509_STORE_get0_objects(store)); i++) {
		X509 *authority = authority_at(store, i);

		if (authority == NULL || X509_self_signed(authority, 0) != 1)
			continue;
		if (first != NULL && X509_NAME_cmp(first, X509_get_subject_name(authority)) != 0)
			return true;
		first = X509_get_subject_name(authority);
	}
	return false;
}

bool trust_store_holds(const X509_STORE *store, const X509 *authority)
{
	for (int i = 0; i < sk_X509_OBJECT_num(X509_STORE_get0_objects(store)); i++)
		if (authority_at(store, i) != NULL && X509_cmp(authority_at(store, i), authority) == 0)
			return true;
	return false;
}

bool trust_has_several(const struct trust *trust)
{
	return trust_store_has_several(trust->store);
}

bool trust_has(const struct trust *trust, const X509_NAME *name)
{
	for (int i = 0; i < sk_X509_OBJECT_num(X509_STORE_get0_objects(trust->store)); i++) {
		const X509 *authority = authority_at(trust->store, i);

		if (authority != NULL && X509_NAME_cmp(X509_get_subject_name(authority), name) == 0)
			return true;
	}
	return false;
}

static int load_crls(struct loading *l)
{
	const char *path = l->keyring->crl;
	struct diag_mark mark = l->keyring->crl_mark;
	X509_CRL *crl;
	BIO *bio;
	size_t n = 0;
	bool whole;
	int r = 0;

	if (path == NULL)
		return 0;
	/* also after a fault: without the CRL no client gets in */
	if (X509_STORE_set_flags(l->trust->store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) != 1)
		return -ENOMEM;
	bio = certs_file_open(path, mark, "CRL", DIAG_ERROR, l->diags);
	if (bio == NULL)
		return 0;
	while (r == 0 && (crl = PEM_read_bio_X509_CRL(bio, NULL, certs_file_passphrase, NULL)) != NULL) {
		if (X509_STORE_add_crl(l->trust->store, crl) != 1)
			r = -ENOMEM;
		X509_CRL_free(crl);
		n++;
	}
	whole = n > 0 && certs_file_at_end();
	if (r == 0 && !whole) {
		diags_add(l->diags, DIAG_ERROR, DIAG_BAD_CRL, mark, "%s in \"%s\": %s",
			  n == 0 ? "no CRL" : "a CRL is broken", path, certs_file_reason());
		diags_see(l->diags, path, (struct diag_mark){ 0 }, "the CRLs");
	} else if (r == 0) {
		r = note_ends(l);
	}
	if (r == 0 && whole && !l->keyring->trust_system)
		warn_without_crl(l);
	ERR_clear_error();
	BIO_free(bio);
	return r;
}

int trust_load(const struct policy_keyring *keyring, struct diags *diags, struct trust **ret_trust)
{
	struct trust *trust = calloc(1, sizeof(*trust));
	struct loading l = { .keyring = keyring, .trust = trust, .diags = diags };
	int r = -ENOMEM;

	if (trust == NULL)
		return -ENOMEM;
	trust->store = X509_STORE_new();
	trust->names = sk_X509_NAME_new_null();
	if (trust->store != NULL && trust->names != NULL)
		r = load_authorities(&l);
	if (r == 0)
		r = load_crls(&l);
	if (r == 0) {
		*ret_trust = trust;
		trust = NULL;
	}
	trust_free(&trust);
	ERR_clear_error();
	return r;
}

void trust_free(struct trust **trust)
{
	if (*trust == NULL)
		return;
	X509_STORE_free((*trust)->store);
	sk_X509_NAME_pop_free((*trust)->names, X509_NAME_free);
	ASN1_STRING_free((*trust)->crl_end);
	free(*trust);
	*trust = NULL;
}

X509_STORE *trust_store(const struct trust *trust)
{
	return trust->store;
}

static int check_chain(X509_STORE_CTX *verify, void *action)
{
	return !trust_limits_are_exceeded(verify, "client") &&
	       trust_limits_weak_key(verify, action, "client") == NULL && X509_verify_cert(verify) == 1;
}

/* passthru: the result is kept with the session, but refuses no one. */
static int accept_any(X509_STORE_CTX *verify, void *action)
{
	if (trust_limits_are_exceeded(verify, "client"))
		return 0;
	if (X509_verify_cert(verify) == 1)
		(void)trust_limits_weak_key(verify, action, "client"); /* the result says so */
	ERR_clear_error(); /* otherwise a later look at the queue would take this for a failure */
	return 1;
}

int trust_use(const struct trust *trust, const struct tls_action *action, SSL_CTX *ctx)
{
	void *arg = (void *)(uintptr_t)action;
	STACK_OF(X509_NAME) *names = NULL;
	int mode = SSL_VERIFY_PEER;

	SSL_CTX_set_cert_verify_callback(ctx, check_chain, arg);
	switch (action->client_auth_type) {
	case CLIENT_AUTH_REQUIRED:
	case CLIENT_AUTH_SAFCHECK: /* the owner is checked once the user's name is known */
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
		break;
	case CLIENT_AUTH_FULL:
		break;
	case CLIENT_AUTH_PASSTHRU:
		SSL_CTX_set_cert_verify_callback(ctx, accept_any, arg);
		break;
	}
	if (SSL_CTX_set1_verify_cert_store(ctx, trust->store) != 1)
		return -ENOMEM;
	if (action->client_auth_type != CLIENT_AUTH_PASSTHRU) {
		names = SSL_dup_CA_list(trust->names);
		if (names == NULL)
			return -ENOMEM;
	}
	SSL_CTX_set_client_CA_list(ctx, names); /* the context's now */
	SSL_CTX_set_verify(ctx, mode, NULL);
	SSL_CTX_set_verify_depth(ctx, TRUST_LIMITS_DEPTH);
	return 0;
}

int trust_use_for_servers(const struct trust *trust, SSL_CTX *ctx)
{
	return SSL_CTX_set1_verify_cert_store(ctx, trust->store) == 1 ? 0 : -ENOMEM;
}
