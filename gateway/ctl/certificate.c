/*
 * `attlsctl certificate`: prints the entry of `users` that names a certificate. Each
 * line is checked with the code that attlsd compares with, so what is printed matches.
 */
#include "gateway/ctl/certificate.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/tls/identity-entry.h"
#include "policy/policy.h"

/* In single quotes, where YAML has no escapes but the quote itself. */
static void print_quoted(const char *text)
{
	(void)putchar('\'');
	for (; *text != '\0'; text++)
		(void)(*text == '\'' ? fputs("''", stdout) : putchar(*text));
	(void)putchar('\'');
}

/* Would an entry that names only this part match this certificate? A subject with a NUL, for one, matches
 * nothing. */
static bool is_usable(const struct identity *identity, enum certificate_part part, const char *text)
{
	const struct policy_user user = { .name = "" };
	struct policy_user_certificate certificate = { .text = { NULL } };
	struct identity_entry *entry = NULL;
	struct diags diags;
	bool usable = false;

	certificate.text[part] = text;
	if (text[0] == '\0' || diags_init(&diags, "", NULL, 0) < 0)
		return false;
	if (identity_entry_make(&user, &certificate, &diags, &entry) == 0 && entry != NULL)
		usable = identity_entry_matches(entry, identity);
	identity_entry_free(&entry);
	diags_done(&diags);
	return usable;
}

static void print_names(const struct identity *identity)
{
	char san[IDENTITY_SAN_MAX];

	for (int i = 0; identity_san(identity, i, san); i++) {
		if (!is_usable(identity, CERTIFICATE_SAN, san))
			continue;
		(void)fputs("        # san: ", stdout);
		print_quoted(san);
		(void)putchar('\n');
	}
}

static void print_entry(const struct identity *identity)
{
	char sha256[IDENTITY_SHA256_TEXT], name[IDENTITY_NAME_MAX];
	const struct {
		enum certificate_part part;
		const char *key, *text;
	} lines[] = {
		{ CERTIFICATE_SUBJECT, "subject", identity->subject },
		{ CERTIFICATE_ISSUER, "issuer", identity->issuer },
		{ CERTIFICATE_SERIAL, "serial", identity->serial },
		{ CERTIFICATE_SHA256, "sha256", identity_sha256(identity, sha256) },
	};
	const char *before = "      - ";

	(void)identity_common_name(identity, name);
	(void)printf("users:\n  %s:%s\n    certificates:\n", policy_is_name(name) ? name : "USER",
		     policy_is_name(name) ? "" : "   # the name of the user at the FTP server");
	for (size_t i = 0; i < NELEM(lines); i++) {
		if (!is_usable(identity, lines[i].part, lines[i].text)) {
			(void)fprintf(stderr, "attlsctl: the %s cannot be compared, so it is left out\n",
				      lines[i].key);
			continue;
		}
		(void)printf("%s%s: ", before, lines[i].key);
		print_quoted(lines[i].text);
		(void)putchar('\n');
		before = "        ";
	}
	(void)puts("        # without serial and sha256, a renewed certificate matches as well");
	print_names(identity);
}

int certificate_print(const char *path)
{
	struct identity identity = { .present = false };
	const char *reason = "not enough memory";

	if (identity_from_file(path, &identity, &reason) < 0) {
		(void)fprintf(stderr, "attlsctl: %s: %s\n", path, reason);
		return EXIT_FAILURE;
	}
	print_entry(&identity);
	identity_done(&identity);
	return EXIT_SUCCESS;
}
