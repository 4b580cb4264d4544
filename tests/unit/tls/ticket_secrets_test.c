/*
 * Files of session_ticket_keys: which are refused, and that the seeds are those of an independent
 * HKDF (Python's hmac), for the epochs of this time.
 */
#include "gateway/tls/ticket-secrets.h"

#include <fcntl.h>

#include "tests/unit/policy-text.h"
#include "tests/unit/temporary.h"

/* Of the bytes 0 to 47, and others. */
#define FIRST  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"
#define SECOND "/////////////////////wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static char path[TEMPORARY_PATH];

static void parse_with(struct parsed *p, const char *file)
{
	char text[TEMPORARY_PATH + 100];

	(void)snprintf(
	    text, sizeof(text),
	    "tls_actions: { server: { keyring: ftpd, session_timeout: 1h, session_ticket_keys: %s } }\n",
	    file);
	parse_part(p, text);
	assert_string_equal(p->printed, "");
}

/* What is wrong with this text; "": nothing. */
static void judge(const char *file, const char *text, mode_t mode, const char *want)
{
	struct ticket_secrets *secrets = NULL;
	struct parsed p;
	int r;

	if (text != NULL)
		temporary_write(path, text, mode);
	parse_with(&p, file);
	r = ticket_secrets_load(p.policy, &p.diags, &secrets);
	assert_int_equal(r, want[0] == '\0' ? 0 : -EINVAL);
	assert_true((secrets != NULL) == (r == 0));
	if (r < 0) {
		assert_non_null(strstr(p.diags.items[p.diags.nitems - 1].message, want));
		assert_null(strstr(p.diags.items[p.diags.nitems - 1].message, "AAECAw"));
		assert_true(p.diags.items[p.diags.nitems - 1].mark.line > 0);
	}
	ticket_secrets_free(&secrets);
	parsed_done(&p);
}

static void test_files(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *want;
	} rows[] = {
		{ FIRST, 0600, "" },
		{ FIRST "\n", 0400, "" },
		{ "# since October\n\n" FIRST "\r\n" SECOND " \n", 0600, "" },
		{ FIRST "\n" FIRST "\n" FIRST "\n" FIRST "\n", 0600, "" },
		{ FIRST "\n" FIRST "\n" FIRST "\n" FIRST "\n" FIRST "\n", 0600, "line 5" },
		{ FIRST "\n", 0640, "chmod 600" },
		{ FIRST "\n", 0604, "chmod 600" },
		{ "", 0600, "it has no secret" },
		{ "# nothing\n", 0600, "it has no secret" },
		{ FIRST "\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\n", 0600, "line 2" },
		{ "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\n", 0600, "too short" },
		{ "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", 0600, "" },
		{ "a password that is long enough to be taken for a key by mistake!\n", 0600,
		  "is not base64" },
		{ FIRST "A\n", 0600, "is not base64" },
		{ "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", 0600,
		  "is not random" },
		{ "====\n", 0600, "too short" },
		{ "=\n", 0600, "is not base64" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++)
		judge(path, rows[i].text, rows[i].mode, rows[i].want);
	judge("/nonexistent/keys", NULL, 0, "No such file");
	judge(temporary_folder(), NULL, 0, "it is not a file");
}

static void hex(const uint8_t *bytes, char ret[static 2 * TICKET_SEED_BYTES + 1])
{
	for (size_t i = 0; i < TICKET_SEED_BYTES; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

static void test_seeds(void **state)
{
	static const char *const want[TICKET_EPOCHS] = {
		"dd6e2d319a3c3f586cded50b24ed6d633821b0454cca67fd57b36890fb5d8ed5", /* 500000, which runs */
		"878c9a8e23aa7c58afb9fe09d65caf0a73638124a9be454ce296ddfcf22b8802", /* 499999 */
		"34d68ac59b11e2499ee56cb3140e0b998bfcf8bc7d4b898b8718ddbf956fbbb5", /* 500001 */
	};
	const uint64_t now_s = UINT64_C(500000) * 3600;
	struct ticket_sets *sets = ticket_sets_new(1);
	struct ticket_secrets *secrets = NULL, *copy;
	struct ticket_set whole = { .n = 0 };
	struct ticket_part part;
	uint8_t first[TICKET_SEED_BYTES];
	char text[2 * TICKET_SEED_BYTES + 1];
	struct parsed p;

	(void)state;
	temporary_write(path, FIRST "\n" SECOND "\n", 0600);
	parse_with(&p, path);
	assert_int_equal(ticket_secrets_load(p.policy, &p.diags, &secrets), 0);
	assert_int_equal(secrets->files[0].n, 2);
	assert_int_equal(ticket_secrets_derive(secrets, p.policy, now_s, sets), 1);
	assert_int_equal(sets->sets[0].n, 2 * TICKET_EPOCHS);
	for (size_t i = 0; i < TICKET_EPOCHS; i++) {
		hex(sets->sets[0].seeds[i], text);
		assert_string_equal(text, want[i]);
	}
	/* within the epoch nothing changes; in the next one, its seed is the first */
	memcpy(first, sets->sets[0].seeds[2], sizeof(first));
	assert_int_equal(ticket_secrets_derive(secrets, p.policy, now_s + 3599, sets), 0);
	assert_int_equal(ticket_secrets_due_s(secrets, p.policy, now_s + 3599), 1);
	assert_int_equal(ticket_secrets_derive(secrets, p.policy, now_s + 3600, sets), 1);
	assert_memory_equal(sets->sets[0].seeds[0], first, sizeof(first));
	/* back again, as a clock that is set */
	assert_int_equal(ticket_secrets_derive(secrets, p.policy, now_s, sets), 1);
	hex(sets->sets[0].seeds[0], text);
	assert_string_equal(text, want[0]);
	/* through a pipe: only what fits the policy */
	copy = ticket_secrets_take(p.policy, secrets, ticket_secrets_size(secrets));
	assert_memory_equal(copy, secrets, ticket_secrets_size(secrets));
	ticket_secrets_free(&copy);
	assert_null(ticket_secrets_take(p.policy, secrets, ticket_secrets_size(secrets) - 1));
	secrets->files[0].n = TICKET_SECRETS_MAX + 1;
	assert_null(ticket_secrets_take(p.policy, secrets, ticket_secrets_size(secrets)));
	/* through messages: whole or not at all */
	ticket_set_part(&sets->sets[0], 1, &part);
	assert_false(ticket_set_gather(&whole, &part));
	ticket_set_part(&sets->sets[0], 0, &part);
	assert_false(ticket_set_gather(&whole, &part));
	assert_false(ticket_set_gather(&whole, &part));
	ticket_set_part(&sets->sets[0], 1, &part);
	assert_true(ticket_set_gather(&whole, &part));
	assert_memory_equal(whole.seeds, sets->sets[0].seeds, sizeof(whole.seeds));
	part.of = TICKET_SECRETS_MAX + 1;
	assert_false(ticket_set_gather(&whole, &part));
	ticket_sets_free(&sets);
	ticket_secrets_free(&secrets);
	parsed_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_files), cmocka_unit_test(test_seeds) };

	(void)temporary_path(path, "secrets");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
