/* Imports from texts, for the tests of gateway/import. */
#ifndef ATTLSD_TESTS_UNIT_IMPORT_TEXT_H
#define ATTLSD_TESTS_UNIT_IMPORT_TEXT_H

#include <stdio.h>

#include "gateway/import/import-zos.h"
#include "gateway/import/proftpd.h"
#include "gateway/import/vsftpd.h"
#include "gateway/import/write-policy.h"
#include "gateway/import/write-report.h"
#include "tests/unit/unit.h"

/* What an import made of one or two files. */
struct imported {
	struct draft draft;
	struct source sources[2];
	size_t n;
	int result;
	char *messages; /* of all files */
	char *policy;	/* the text; NULL: there were faults */
	char *report;
	struct policy *parsed;
};

static inline void imported_finish(struct imported *in)
{
	size_t len;
	struct diags diags;
	FILE *out = open_memstream(&in->messages, &len);

	assert_non_null(out);
	for (size_t i = 0; i < in->n; i++)
		diags_print(&in->sources[i].diags, out);
	assert_int_equal(fclose(out), 0);
	if (in->result < 0)
		return;
	out = open_memstream(&in->policy, &len);
	write_policy(&in->draft, "#   test\n", out);
	assert_int_equal(fclose(out), 0);
	out = open_memstream(&in->report, &len);
	write_report(&in->draft, "#   test\n", out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(diags_init(&diags, "policy.yaml", in->policy, strlen(in->policy)), 0);
	if (policy_parse(in->policy, strlen(in->policy), "", &diags, &in->parsed) < 0) {
		diags_print(&diags, stderr);
		fail_msg("the policy has faults:\n%s", in->policy);
	}
	diags_done(&diags);
}

/* NULL: no such file. */
static inline void import_bytes(struct imported *in, const char *ftp_data, size_t ftp_len, const char *attls,
				size_t attls_len)
{
	*in = (struct imported){ .n = 0 };
	if (ftp_data != NULL)
		assert_int_equal(
		    source_take("ftp.data", (const uint8_t *)ftp_data, ftp_len, &in->sources[in->n++]), 0);
	if (attls != NULL)
		assert_int_equal(
		    source_take("pagent.conf", (const uint8_t *)attls, attls_len, &in->sources[in->n++]), 0);
	in->result = import_zos(&in->draft, in->sources, ftp_data != NULL, in->sources + (ftp_data != NULL),
				attls != NULL, NULL);
	imported_finish(in);
}

static inline void import_texts(struct imported *in, const char *ftp_data, const char *attls)
{
	import_bytes(in, ftp_data, ftp_data != NULL ? strlen(ftp_data) : 0, attls,
		     attls != NULL ? strlen(attls) : 0);
}

typedef int import_server_fn(struct draft *draft, struct source *source, const char *address);

static inline void import_server(struct imported *in, import_server_fn *import, const char *name,
				 const char *text)
{
	*in = (struct imported){ .n = 1 };
	assert_int_equal(source_take(name, (const uint8_t *)text, strlen(text), &in->sources[0]), 0);
	in->result = import(&in->draft, &in->sources[0], NULL);
	imported_finish(in);
}

static inline void imported_done(struct imported *in)
{
	policy_free(&in->parsed);
	draft_done(&in->draft);
	for (size_t i = 0; i < in->n; i++)
		source_done(&in->sources[i]);
	free(in->messages);
	free(in->policy);
	free(in->report);
}

/* A part of the policy must be there; "!" before it: must not. */
static inline void imported_has(const struct imported *in, const char *name, const char *want)
{
	bool without = want[0] == '!';

	if (in->policy == NULL)
		fail_msg("%s: refused:\n%s", name, in->messages);
	else if ((strstr(in->policy, want + without) != NULL) == without)
		fail_msg("%s: wanted %s in:\n%s", name, want, in->policy);
}

/* All of these, up to `n` or a NULL, of the files of z/OS; ftp_data: NULL: none. */
static inline void import_wants(const char *name, const char *ftp_data, const char *attls,
				const char *const *want, size_t n)
{
	struct imported in;

	import_texts(&in, ftp_data, attls);
	for (size_t i = 0; i < n && want[i] != NULL; i++)
		imported_has(&in, name, want[i]);
	imported_done(&in);
}

#endif
