/*
 * Takes the identity out of a client's certificate and finds the policy's user
 * with that subject. Subjects are compared as parsed names, never as text.
 */
#include "gateway/tls/identity.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/stream.h"
#include "gateway/tls/certs-file.h"
#include "gateway/tls/identity-name.h"

/* One subject of the policy. */
struct known {
	X509_NAME *name;
	const struct policy_user *user;
};

struct identity_users {
	struct known *known;
	size_t n;
};

/* RFC 2253, everything but ASCII escaped: safe for a log. */
static char *subject_text(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	char *bytes;
	long len;

	if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
		len = BIO_get_mem_data(bio, &bytes);
		text = strndup(len > 0 ? bytes : "", len > 0 ? (size_t)len : 0);
	}
	BIO_free(bio);
	return text;
}

/* A value with a NUL is made to be read as another one (CVE-2009-3639). */
static bool has_nul(const X509_NAME *name)
{
	bool found = false;

	for (int i = 0; i < X509_NAME_entry_count(name) && !found; i++) {
		uint8_t *utf8 = NULL;
		int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i)));

		/* a value that is no string cannot match either */
		found = len < 0 || (len > 0 && memchr(utf8, 0, (size_t)len) != NULL);
		OPENSSL_free(utf8);
	}
	return found;
}

int identity_from_certificate(const X509 *certificate, bool verified, struct identity *ret)
{
	struct identity identity = { .present = true, .verified = verified };
	const X509_NAME *name = X509_get_subject_name(certificate);
	int r = -ENOMEM;

	if (X509_digest(certificate, EVP_sha256(), identity.sha256, NULL) != 1)
		goto out;
	identity.subject = subject_text(name);
	if (identity.subject == NULL)
		goto out;
	if (X509_NAME_entry_count(name) > 0 && !has_nul(name)) {
		identity.name = X509_NAME_dup(name);
		if (identity.name == NULL)
			goto out;
	}
	*ret = identity;
	identity = (struct identity){ 0 };
	r = 0;
out:
	identity_done(&identity);
	ERR_clear_error();
	return r;
}

int identity_from_file(const char *path, struct identity *ret)
{
	BIO *bio = BIO_new_file(path, "r");
	X509 *certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, certs_file_passphrase, NULL) : NULL;
	int r = certificate != NULL ? identity_from_certificate(certificate, true, ret) : -EINVAL;

	X509_free(certificate);
	BIO_free(bio);
	ERR_clear_error();
	return r;
}

int identity_get(const struct stream *stream, struct identity *ret)
{
	const X509 *certificate = NULL;

	if (stream->ssl != NULL && stream->tls_up)
		certificate = SSL_get0_peer_certificate(stream->ssl);
	if (certificate == NULL) {
		*ret = (struct identity){ 0 };
		return 0;
	}
	return identity_from_certificate(certificate, SSL_get_verify_result(stream->ssl) == X509_V_OK, ret);
}

void identity_done(struct identity *identity)
{
	free(identity->subject);
	X509_NAME_free(identity->name);
	*identity = (struct identity){ 0 };
}

const char *identity_common_name(const struct identity *identity, char buf[static IDENTITY_NAME_MAX])
{
	unsigned char *utf8 = NULL;
	int at = -1, last = -1, len = 0;

	buf[0] = '\0';
	if (identity->name == NULL)
		return buf;
	while ((at = X509_NAME_get_index_by_NID(identity->name, NID_commonName, at)) >= 0)
		last = at;
	if (last >= 0)
		len = ASN1_STRING_to_UTF8(
		    &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(identity->name, last)));
	if (len > 0 && len < IDENTITY_NAME_MAX) { /* a NUL is in none, see has_nul() */
		memcpy(buf, utf8, (size_t)len);
		buf[len] = '\0';
	}
	OPENSSL_free(utf8);
	return buf;
}

bool identity_equal(const struct identity *a, const struct identity *b)
{
	if (!a->present || !b->present)
		return a->present == b->present;
	return memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
}

static const struct known *find(const struct identity_users *users, const X509_NAME *name)
{
	for (size_t i = 0; i < users->n; i++)
		if (X509_NAME_cmp(users->known[i].name, name) == 0)
			return &users->known[i];
	return NULL;
}

static int load_subject(struct identity_users *users, const struct policy_user *user, const char *text,
			struct diags *diags)
{
	const struct known *other;
	X509_NAME *name;
	int r = identity_name_parse(text, &name);

	if (r == -EINVAL)
		diags_add(diags, DIAG_ERROR, user->mark,
			  "a \"subject\" of users \"%s\" is not a valid RFC 2253 name: \"%.200s\"",
			  user->name, text);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	other = find(users, name);
	if (other == NULL) {
		users->known[users->n++] = (struct known){ .name = name, .user = user };
		return 0;
	}
	if (other->user != user)
		diags_add(
		    diags, DIAG_ERROR, user->mark,
		    "users \"%s\" and \"%s\" have the same \"subject\": \"%.200s\"; a certificate belongs "
		    "to one user",
		    other->user->name, user->name, text);
	X509_NAME_free(name);
	return 0;
}

int identity_users_load(const struct policy *policy, struct diags *diags, struct identity_users **ret_users)
{
	struct identity_users *users = calloc(1, sizeof(*users));
	size_t total = 0;
	int r = -ENOMEM;

	for (size_t i = 0; i < policy->nusers; i++)
		total += policy->users[i].nsubjects;
	if (users != NULL)
		users->known = calloc(total + 1, sizeof(*users->known));
	if (users == NULL || users->known == NULL)
		goto out;
	r = 0;
	for (size_t i = 0; i < policy->nusers && r == 0; i++)
		for (size_t j = 0; j < policy->users[i].nsubjects && r == 0; j++)
			r = load_subject(users, &policy->users[i], policy->users[i].subjects[j], diags);
	if (r == 0) {
		*ret_users = users;
		users = NULL;
	}
out:
	identity_users_free(&users);
	return r;
}

void identity_users_free(struct identity_users **users)
{
	if (*users == NULL)
		return;
	for (size_t i = 0; i < (*users)->n; i++)
		X509_NAME_free((*users)->known[i].name);
	free((*users)->known);
	free(*users);
	*users = NULL;
}

const struct policy_user *identity_users_find(const struct identity_users *users,
					      const struct identity *identity)
{
	const struct known *known;

	if (!identity->verified || identity->name == NULL)
		return NULL;
	known = find(users, identity->name);
	return known != NULL ? known->user : NULL;
}
