/*
 * Reads the files of an import, makes a draft of them, and writes the policy and the report.
 * The policy is parsed before it is written, so a bad one is never written.
 */
#include "gateway/import/import-command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/import/import-zos.h"
#include "gateway/import/output.h"
#include "gateway/import/proftpd.h"
#include "gateway/import/text.h"
#include "gateway/import/vsftpd.h"
#include "gateway/import/write-policy.h"
#include "gateway/import/write-report.h"

struct import {
	const struct import_request *request;
	struct draft draft;
	struct source sources[2 * IMPORT_FILES_MAX]; /* FTP.DATA or the server's file first, then AT-TLS */
	size_t n;
};

static int read_sources(struct import *import, const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (source_read(paths[i], &import->sources[import->n]) < 0)
			return -1;
		import->n++;
	}
	return 0;
}

static int read_all(struct import *import)
{
	const struct import_request *request = import->request;

	if (request->vsftpd != NULL)
		return read_sources(import, &request->vsftpd, 1);
	if (request->proftpd != NULL)
		return read_sources(import, &request->proftpd, 1);
	if (read_sources(import, request->ftp_data, request->n_ftp_data) < 0)
		return -1;
	return read_sources(import, request->attls, request->n_attls);
}

static int make(struct import *import)
{
	const struct import_request *request = import->request;

	if (request->vsftpd != NULL)
		return import_vsftpd(&import->draft, &import->sources[0], request->backend);
	if (request->proftpd != NULL)
		return import_proftpd(&import->draft, &import->sources[0], request->backend);
	return import_zos(&import->draft, import->sources, request->n_ftp_data,
			  import->sources + request->n_ftp_data, request->n_attls, request->backend);
}

/* Is there a file that is no text? Then its parser would only repeat that. */
static size_t print_faults(struct import *import, FILE *out)
{
	size_t errors = 0;

	for (size_t i = 0; i < import->n; i++) {
		diags_print(&import->sources[i].diags, out);
		errors += import->sources[i].diags.nerrors;
	}
	return errors;
}

static const char *describe(struct import *import)
{
	struct arena *arena = &import->draft.arena;
	const char *text = "";

	for (size_t i = 0; i < import->n; i++)
		text = text_format(arena, "%s#   %s%s\n", text,
				   text_safe(arena, import->sources[i].diags.file), import->sources[i].how);
	return text;
}

/* An import that makes a policy with faults is a bug, or met a limit of the policy. */
static int check(const struct output *policy, const char *name)
{
	struct policy *parsed = NULL;
	struct diags diags;
	int r;

	if (diags_init(&diags, name, policy->text, policy->len) < 0)
		return -1;
	r = policy_parse(policy->text, policy->len, "", &diags, &parsed);
	if (r < 0) {
		(void)fputs("attlsctl: the policy that these files lead to has faults, so it is not "
			    "written:\n",
			    stderr);
		diags_print(&diags, stderr);
	}
	policy_free(&parsed);
	diags_done(&diags);
	return r;
}

static void write_texts(struct import *import, struct output outputs[2])
{
	const char *from = describe(import);
	FILE *policy = open_memstream(&outputs[0].text, &outputs[0].len);
	FILE *report = open_memstream(&outputs[1].text, &outputs[1].len);

	if (policy != NULL)
		write_policy(&import->draft, from, policy);
	if (report != NULL && import->request->json)
		(void)write_report_json(&import->draft, report); /* an error shows in fclose() */
	else if (report != NULL)
		write_report(&import->draft, from, report);
	if (policy == NULL || report == NULL || fclose(policy) == EOF || fclose(report) == EOF) {
		(void)fputs("attlsctl: not enough memory\n", stderr);
		exit(EXIT_FAILURE);
	}
}

static void summarize(const struct import *import)
{
	size_t counts[FATE_COUNT] = { 0 };
	size_t questions = 0;

	for (const struct account *one = import->draft.accounts; one != NULL; one = one->next)
		counts[one->fate]++;
	for (const struct draft_question *one = import->draft.questions; one != NULL; one = one->next)
		questions++;
	for (int i = FATE_CARRIED; i < FATE_COUNT; i++)
		(void)fprintf(stderr, "%6zu %s\n", counts[i], draft_fate_name((enum fate)i));
	(void)fprintf(stderr, "%zu question%s to decide: the policy begins with them\n", questions,
		      questions == 1 ? "" : "s");
}

static int write_all(struct import *import)
{
	const struct import_request *request = import->request;
	struct output outputs[2] = { { .path = request->output }, { .path = request->report } };
	size_t n = request->report != NULL ? 2 : 1;
	int r;

	write_texts(import, outputs);
	r = check(&outputs[0], request->output != NULL ? request->output : "policy.yaml");
	if (r == 0)
		r = output_write(outputs, n, request->force);
	if (r == 0)
		summarize(import);
	free(outputs[0].text);
	free(outputs[1].text);
	return r;
}

int import_command(const struct import_request *request)
{
	struct import *import = calloc(1, sizeof(*import));
	size_t errors;
	int r;

	if (import == NULL)
		return EXIT_FAILURE;
	import->request = request;
	r = read_all(import);
	if (r == 0) {
		int made = make(import);

		errors = print_faults(import, stderr);
		if (errors > 0)
			(void)fprintf(stderr, "%zu error%s; nothing is written\n", errors,
				      errors == 1 ? "" : "s");
		r = made < 0 || errors > 0 ? -1 : write_all(import);
	}
	draft_done(&import->draft);
	for (size_t i = 0; i < import->n; i++)
		source_done(&import->sources[i]);
	free(import);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
