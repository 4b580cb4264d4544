/* Policies from text, for the tests of policy/: sections that a text lacks are filled in. */
#ifndef ATTLSD_TESTS_UNIT_POLICY_TEXT_H
#define ATTLSD_TESTS_UNIT_POLICY_TEXT_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "policy/policy.h"
#include "tests/unit/unit.h"

/* A policy with its faults, printed as a user reads them. */
struct parsed {
	struct diags diags;
	struct policy *policy; /* NULL: refused */
	int result;
	char *printed;
};

/* For the test of the JSON schema: keep each policy of these tests, and whether it is accepted. */
static inline void keep_policy(const struct parsed *p)
{
	static unsigned number;
	const char *folder = getenv("KEEP_POLICIES");
	char path[256];
	FILE *out;

	if (folder == NULL)
		return;
	(void)snprintf(path, sizeof(path), "%s/%d-%u.%s", folder, (int)getpid(), number++,
		       p->result == 0 ? "good" : "bad");
	out = fopen(path, "w");
	assert_non_null(out);
	(void)fwrite(p->diags.source, 1, p->diags.source_len, out);
	assert_int_equal(fclose(out), 0);
}

static inline void parse_folder(struct parsed *p, const char *text, size_t len, const char *folder)
{
	char *copy = (char *)bytes_copy(text, len);
	size_t printed_len;
	FILE *out;

	*p = (struct parsed){ 0 };
	assert_int_equal(diags_init(&p->diags, "policy.yaml", copy, len), 0);
	p->result = policy_parse(copy, len, folder, &p->diags, &p->policy);
	free(copy);
	assert_int_equal(p->result, p->diags.nerrors > 0 ? -EINVAL : 0);
	assert_true((p->policy != NULL) == (p->result == 0));
	out = open_memstream(&p->printed, &printed_len);
	assert_non_null(out);
	diags_print(&p->diags, out);
	assert_int_equal(fclose(out), 0);
	keep_policy(p);
}

/* Nothing is added. */
static inline void parse_whole(struct parsed *p, const char *text)
{
	parse_folder(p, text, strlen(text), "");
}

/* The text comes first, so that its lines count from 1; the sections that it lacks follow. */
static inline void parse_part(struct parsed *p, const char *text)
{
	static const char *const sections[][2] = {
		{ "version:", "version: 1\n" },
		{ "keyrings:", "keyrings: { ftpd: { certificates: [ { chain: a.pem, key: a.key } ] } }\n" },
		{ "tls_actions:", "tls_actions: { server: { keyring: ftpd } }\n" },
		{ "ftp_actions:", "ftp_actions: { standard: {} }\n" },
		{ "backends:", "backends: { legacy: { address: 127.0.0.1:2021 } }\n" },
		{ "listeners:", "listeners: { explicit: { address: 127.0.0.1:2121 } }\n" },
		{ "rules:", "rules: { everyone: { tls: server, ftp: standard, backend: legacy } }\n" },
	};
	char *whole = NULL;
	size_t len;
	FILE *out = open_memstream(&whole, &len);

	assert_non_null(out);
	(void)fputs(text, out);
	for (size_t i = 0; i < NELEM(sections); i++) {
		char key[32];

		(void)snprintf(key, sizeof(key), "\n%s", sections[i][0]);
		if (strncmp(text, sections[i][0], strlen(sections[i][0])) != 0 && strstr(text, key) == NULL)
			(void)fputs(sections[i][1], out);
	}
	assert_int_equal(fclose(out), 0);
	parse_folder(p, whole, len, "");
	free(whole);
}

static inline void parsed_done(struct parsed *p)
{
	policy_free(&p->policy);
	diags_done(&p->diags);
	free(p->printed);
}

/* A policy, and a part of the expected message. */
struct message_case {
	const char *name;
	const char *text;
	const char *want;
};

/* `errors`: the policies are refused; otherwise there are only warnings. */
static inline void check_messages(const struct message_case *cases, size_t n, bool errors)
{
	for (size_t i = 0; i < n; i++) {
		struct parsed p;

		parse_part(&p, cases[i].text);
		if (strstr(p.printed, cases[i].want) == NULL || (p.result < 0) != errors)
			fail_msg("%s: result %d, wanted \"%s\" in:\n%s", cases[i].name, p.result,
				 cases[i].want, p.printed);
		parsed_done(&p);
	}
}

#endif
