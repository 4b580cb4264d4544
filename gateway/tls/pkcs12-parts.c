/*
 * Each text ends with a NUL. Their order is that of the policy: for each key ring with pkcs12 its
 * certificates and then its authorities, "" if it has none.
 */
#include "gateway/tls/pkcs12-parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/tls/pkcs12-ring.h"

static int keep(struct policy *policy, const char *text, const char **ret_kept)
{
	*ret_kept = policy_keep(policy, text, strlen(text));
	return *ret_kept != NULL ? 0 : -ENOMEM;
}

static int load_ring(struct policy *policy, struct policy_keyring *keyring, struct diags *diags)
{
	struct pkcs12_ring *ring = NULL;
	int r = pkcs12_ring_load(keyring, diags, &ring);

	for (size_t i = 0; r == 0 && i < ring->n; i++)
		r = keep(policy, ring->chains[i], &keyring->certificates[i].chain_pem);
	if (r == 0 && ring->trust != NULL)
		r = keep(policy, ring->trust, &keyring->trust_pem);
	pkcs12_ring_free(&ring);
	return r;
}

int pkcs12_parts_load(struct policy *policy, struct diags *diags)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < policy->nkeyrings; i++)
		if (policy->keyrings[i].pkcs12 != NULL)
			r = load_ring(policy, &policy->keyrings[i], diags);
	return r;
}

static const char *text_or_empty(const char *text)
{
	return text != NULL ? text : "";
}

/* Write to buf if it is not NULL. Returns the bytes. */
static size_t put(char *buf, size_t at, const char *text)
{
	size_t len = strlen(text) + 1;

	if (buf != NULL)
		memcpy(buf + at, text, len);
	return len;
}

static size_t put_all(const struct policy *policy, char *buf)
{
	size_t at = 0;

	for (size_t i = 0; i < policy->nkeyrings; i++) {
		const struct policy_keyring *keyring = &policy->keyrings[i];

		for (size_t j = 0; keyring->pkcs12 != NULL && j < keyring->ncertificates; j++)
			at += put(buf, at, text_or_empty(keyring->certificates[j].chain_pem));
		if (keyring->pkcs12 != NULL)
			at += put(buf, at, text_or_empty(keyring->trust_pem));
	}
	return at;
}

size_t pkcs12_parts_size(const struct policy *policy)
{
	return put_all(policy, NULL);
}

void pkcs12_parts_get(const struct policy *policy, char *buf)
{
	(void)put_all(policy, buf); /* the size is known */
}

/* The next text, if it must be there it is not empty. */
static int take(struct policy *policy, const char *buf, size_t len, size_t *at, bool needed,
		const char **ret_kept)
{
	const char *text = buf + *at;
	const char *end = *at < len ? memchr(text, '\0', len - *at) : NULL;

	if (end == NULL || (text[0] != '\0') != needed)
		return -EPROTO;
	*at += (size_t)(end - text) + 1;
	return needed ? keep(policy, text, ret_kept) : 0;
}

int pkcs12_parts_set(struct policy *policy, const char *buf, size_t len)
{
	size_t at = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < policy->nkeyrings; i++) {
		struct policy_keyring *keyring = &policy->keyrings[i];

		if (keyring->pkcs12 == NULL)
			continue;
		for (size_t j = 0; r == 0 && j < keyring->ncertificates; j++)
			r = take(policy, buf, len, &at, true, &keyring->certificates[j].chain_pem);
		if (r == 0)
			r = take(policy, buf, len, &at, keyring->trust_pkcs12, &keyring->trust_pem);
	}
	return r == 0 && at != len ? -EPROTO : r;
}

int pkcs12_parts_copy(const struct policy *from, struct policy *to)
{
	size_t size = pkcs12_parts_size(from);
	char *buf = malloc(size + 1);
	int r = -ENOMEM;

	if (buf != NULL) {
		pkcs12_parts_get(from, buf);
		r = pkcs12_parts_set(to, buf, size);
	}
	free(buf);
	return r;
}
