/*
 * Reads the files, and derives seeds (HKDF, RFC 5869) from a secret, the name of the tls_action
 * and the number of an epoch. Workers add the certificates when they make keys of the seeds
 * (tlsctx-tickets.c), and nobody comes back from a seed to the secret or to another epoch.
 */
#include "gateway/tls/ticket-secrets.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/shared.h"
#include "gateway/host/secret-file.h"

/* Of a file, and of the random bytes in a line. */
#define FILE_MAX   4096
#define RANDOM_MAX 128
#define RANDOM_MIN 32
/* Of the name of a tls_action, and of what a seed is derived with. */
#define NAME_BYTES_MAX 200
#define INFO_MAX       240

#define HOW "make one with: openssl rand -base64 48"

/* --- files --- */

static void complain(struct diags *diags, const struct tls_action *action, const char *why)
{
	diags_add(diags, DIAG_ERROR, DIAG_BAD_TICKET_FILE, action->session_ticket_keys_mark,
		  "cannot use the file \"%s\" of session_ticket_keys: %s", action->session_ticket_keys, why);
}

static void complain_of_line(struct diags *diags, const struct tls_action *action, size_t line,
			     const char *why)
{
	diags_add(diags, DIAG_ERROR, DIAG_BAD_TICKET_FILE, action->session_ticket_keys_mark,
		  "line %zu of the file \"%s\" of session_ticket_keys %s; " HOW, line,
		  action->session_ticket_keys, why);
}

/* Whoever can read the file can read what clients say. Returns the length, or -1 after a complaint. */
static ssize_t read_file(const struct tls_action *action, struct diags *diags, char *buf,
			 uint64_t *ret_made_s)
{
	struct secret_file file;
	ssize_t n = secret_file_read(action->session_ticket_keys, buf, FILE_MAX + 1, &file);

	*ret_made_s = file.changed_s;
	if (n >= 0 && n <= FILE_MAX)
		return n;
	complain(diags, action, n < 0 ? file.why : "it is too long: one line for each of at most 4 secrets");
	return -1;
}

static bool is_constant(const uint8_t *bytes, size_t len)
{
	for (size_t i = 1; i < len; i++)
		if (bytes[i] != bytes[0])
			return false;
	return true;
}

/* NULL: it is good, and added. */
static const char *take_line(struct ticket_file *file, const char *line, size_t len)
{
	uint8_t bytes[RANDOM_MAX + 3];
	size_t padding = len >= 2 ? (size_t)(line[len - 1] == '=') + (line[len - 2] == '=') : 0;
	const char *why = NULL;
	unsigned int digest_len;
	int n = 0;

	if (len % 4 != 0 || len / 4 * 3 > RANDOM_MAX)
		why = "is not base64 of 32 to 128 bytes";
	else
		n = EVP_DecodeBlock(bytes, (const uint8_t *)line, (int)len) - (int)padding;
	if (why == NULL && n < 0)
		why = "is not base64 of 32 to 128 bytes";
	else if (why == NULL && n < RANDOM_MIN)
		why = "is too short: it must be base64 of at least 32 random bytes";
	else if (why == NULL && is_constant(bytes, (size_t)n))
		why = "is not random";
	else if (why == NULL && file->n == TICKET_SECRETS_MAX)
		why = "is one too many: there may be at most 4 secrets";
	else if (why == NULL &&
		 EVP_Digest(bytes, (size_t)n, file->secrets[file->n], &digest_len, EVP_sha256(), NULL) != 1)
		why = "cannot be used: not enough memory";
	explicit_bzero(bytes, sizeof(bytes));
	file->n += why == NULL;
	return why;
}

/* Blank lines, and those that begin with #, are not counted as secrets. */
static int take_lines(struct ticket_file *file, const struct tls_action *action, struct diags *diags,
		      const char *text, size_t len)
{
	size_t errors = diags->nerrors;
	size_t number = 0;

	for (size_t at = 0; at < len;) {
		const char *line = text + at;
		const char *end = memchr(line, '\n', len - at);
		size_t n = end != NULL ? (size_t)(end - line) : len - at;
		const char *why = NULL;

		number++;
		at += n + 1;
		while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == ' ' || line[n - 1] == '\t'))
			n--;
		if (n > 0 && line[0] != '#')
			why = take_line(file, line, n);
		if (why != NULL)
			complain_of_line(diags, action, number, why);
	}
	if (file->n == 0 && diags->nerrors == errors)
		complain(diags, action, "it has no secret; " HOW);
	return diags->nerrors == errors ? 0 : -EINVAL;
}

int ticket_file_load(const struct tls_action *action, struct diags *diags, struct ticket_file *ret)
{
	char text[FILE_MAX + 1];
	struct ticket_file file = { .action = action->index };
	ssize_t n = read_file(action, diags, text, &file.made_s);
	int r = n == -1 ? -EINVAL : take_lines(&file, action, diags, text, (size_t)n);

	if (r == 0)
		*ret = file;
	explicit_bzero(&file, sizeof(file));
	explicit_bzero(text, sizeof(text));
	return r;
}

/* --- secrets --- */

static size_t size_of(size_t n)
{
	return sizeof(struct ticket_secrets) + n * sizeof(struct ticket_file);
}

static struct ticket_secrets *make(size_t n)
{
	struct ticket_secrets *secrets = shared_map(size_of(n));

	if (secrets != NULL)
		secrets->n = n;
	return secrets;
}

static size_t count_files(const struct policy *policy)
{
	size_t n = 0;

	for (size_t i = 0; i < policy->ntls_actions; i++)
		n += policy->tls_actions[i].session_ticket_keys != NULL;
	return n;
}

int ticket_secrets_load(const struct policy *policy, struct diags *diags, struct ticket_secrets **ret)
{
	size_t n = count_files(policy), at = 0;
	struct ticket_secrets *secrets = n == 0 ? NULL : make(n);
	int r = n > 0 && secrets == NULL ? -ENOMEM : 0;

	for (size_t i = 0; secrets != NULL && i < policy->ntls_actions; i++)
		if (policy->tls_actions[i].session_ticket_keys != NULL &&
		    ticket_file_load(&policy->tls_actions[i], diags, &secrets->files[at++]) < 0)
			r = -EINVAL;
	if (r < 0)
		ticket_secrets_free(&secrets);
	else
		*ret = secrets;
	return r;
}

size_t ticket_secrets_size(const struct ticket_secrets *secrets)
{
	return secrets == NULL ? 0 : size_of(secrets->n);
}

struct ticket_secrets *ticket_secrets_take(const struct policy *policy, const void *bytes, size_t len)
{
	size_t n = count_files(policy);
	struct ticket_secrets *secrets = len == size_of(n) ? make(n) : NULL;
	bool fits = true;

	if (secrets == NULL)
		return NULL;
	memcpy(secrets, bytes, len);
	fits = secrets->n == n;
	for (size_t i = 0; fits && i < n; i++)
		fits = secrets->files[i].action < policy->ntls_actions && secrets->files[i].n > 0 &&
		       secrets->files[i].n <= TICKET_SECRETS_MAX;
	secrets->n = n;
	if (!fits)
		ticket_secrets_free(&secrets);
	return secrets;
}

struct ticket_secrets *ticket_secrets_copy(const struct ticket_secrets *secrets)
{
	struct ticket_secrets *copy = secrets == NULL ? NULL : make(secrets->n);

	if (copy != NULL)
		memcpy(copy, secrets, size_of(secrets->n));
	return copy;
}

uint64_t ticket_secrets_oldest_s(const struct ticket_secrets *secrets)
{
	uint64_t oldest_s = 0;

	for (size_t i = 0; secrets != NULL && i < secrets->n; i++)
		if (i == 0 || secrets->files[i].made_s < oldest_s)
			oldest_s = secrets->files[i].made_s;
	return oldest_s;
}

void ticket_secrets_free(struct ticket_secrets **secrets)
{
	if (*secrets == NULL)
		return;
	explicit_bzero((*secrets)->files, (*secrets)->n * sizeof((*secrets)->files[0]));
	shared_unmap(*secrets, size_of((*secrets)->n));
	*secrets = NULL;
}

void ticket_keys_free(struct ticket_keys *keys)
{
	ticket_secrets_free(&keys->secrets);
	ticket_sets_free(&keys->sets);
}

/* --- seeds --- */

/* "attlsd ticket\0NAME\0" and the epoch in eight bytes. Returns its length. */
static size_t make_info(const char *action, uint64_t epoch, uint8_t ret[static INFO_MAX])
{
	int n = snprintf((char *)ret, INFO_MAX - sizeof(epoch), "attlsd ticket%c%.*s", '\0', NAME_BYTES_MAX,
			 action) +
		1;

	for (size_t i = 0; i < sizeof(epoch); i++)
		ret[(size_t)n + i] = (uint8_t)(epoch >> (8 * (sizeof(epoch) - 1 - i)));
	return (size_t)n + sizeof(epoch);
}

static int derive(const uint8_t secret[static TICKET_SECRET_BYTES], const char *action, uint64_t epoch,
		  uint8_t ret[static TICKET_SEED_BYTES])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	char digest[] = "SHA256";
	uint8_t info[INFO_MAX];
	size_t info_len = make_info(action, epoch, info);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret,
						  TICKET_SECRET_BYTES),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, info_len),
		OSSL_PARAM_construct_end(),
	};
	bool ok = ctx != NULL && EVP_KDF_derive(ctx, ret, TICKET_SEED_BYTES, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok ? 0 : -ENOMEM;
}

static uint32_t epoch_s(const struct policy *policy, const struct ticket_file *file)
{
	uint32_t timeout_s = policy->tls_actions[file->action].session_timeout_s;

	return timeout_s > 0 ? timeout_s : 1; /* without sessions there are no tickets */
}

static int derive_set(const struct ticket_file *file, const char *name, uint64_t epoch,
		      struct ticket_set *ret)
{
	/* the one that encrypts first; the next one is that of a node whose clock is ahead */
	const uint64_t epochs[TICKET_EPOCHS] = { epoch, epoch - 1, epoch + 1 };
	struct ticket_set set = { .action = file->action, .epoch = epoch };
	int r = 0;

	for (size_t i = 0; i < file->n; i++)
		for (size_t j = 0; r == 0 && j < TICKET_EPOCHS; j++)
			r = derive(file->secrets[i], name, epochs[j], set.seeds[set.n++]);
	if (r == 0)
		*ret = set;
	explicit_bzero(&set, sizeof(set));
	return r;
}

int ticket_secrets_derive(const struct ticket_secrets *secrets, const struct policy *policy, uint64_t now_s,
			  struct ticket_sets *sets)
{
	int changed = 0, r = 0;

	for (size_t i = 0; i < secrets->n && i < sets->n; i++) {
		const struct ticket_file *file = &secrets->files[i];
		uint64_t epoch = now_s / epoch_s(policy, file);

		if (sets->sets[i].n > 0 && sets->sets[i].epoch == epoch)
			continue;
		if (derive_set(file, policy->tls_actions[file->action].name, epoch, &sets->sets[i]) < 0)
			r = -ENOMEM;
		else
			changed = 1;
	}
	return r < 0 ? r : changed;
}

uint64_t ticket_secrets_due_s(const struct ticket_secrets *secrets, const struct policy *policy,
			      uint64_t now_s)
{
	uint64_t due_s = UINT64_MAX;

	for (size_t i = 0; i < secrets->n; i++) {
		uint64_t left_s =
		    epoch_s(policy, &secrets->files[i]) - now_s % epoch_s(policy, &secrets->files[i]);

		if (left_s < due_s)
			due_s = left_s;
	}
	return due_s;
}
