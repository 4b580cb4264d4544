/*
 * The command explain: reads the policy, or two to compare, finds the clients that the
 * command line asks about, and prints what happens to each of them.
 */
#include "gateway/ctl/explain-command.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ctl/explain-diff.h"
#include "gateway/ctl/explain-print.h"
#include "gateway/ctl/explain.h"
#include "gateway/view/json-print.h"
#include "gateway/ctl/usage.h"
#include "gateway/host/policy-file.h"
#include "gateway/tls/server-maps.h"
#include "gateway/tls/trust-judge.h"
#include "gateway/tls/users.h"

/* A policy with what explain needs of it. */
struct explained {
	struct policy *policy; /* NULL: there is none to compare with */
	struct users *users;   /* NULL: no client shows a certificate */
	struct server_maps *maps;
	struct diags diags;
	bool loaded; /* diags is initialised */
};

struct run {
	const struct explain_question *question;
	struct explained sides[2];
	struct trust_judge *certificate; /* NULL: clients show none */
	struct explain_samples samples;
};

/* No keys are read, so any user who may read the policy can run this. */
static int load(struct explained *side, const char *path, const char *own, bool with_users)
{
	int r = policy_file_load(path, own, &side->diags, &side->policy);

	side->loaded = true;
	if (r == 0)
		r = server_maps_load(side->policy, &side->diags, &side->maps);
	if (r == 0 && with_users) /* they and their password files matter only to certificates */
		r = users_load(side->policy, &side->diags, &side->users);
	if (r < 0)
		diags_print(&side->diags, stderr);
	return r < 0 ? EXIT_FAILURE : 0;
}

static int no_memory(void)
{
	(void)fputs("attlsctl: not enough memory\n", stderr);
	return EXIT_FAILURE;
}

/* What happens to a client of this sample; *ret NULL: there is no such listener. Returns 0 or the exit
 * status. */
static int explain_side(struct run *run, struct explained *side, const struct explain_sample *sample,
			json_t **ret)
{
	const struct explain_client client = {
		.certificate = run->certificate,
		.users = side->users,
		.user = run->question->user,
		.sni = run->question->sni,
		.host = run->question->host,
		.maps = side->maps,
		.path = run->question->path,
	};
	struct explain_place place;

	*ret = NULL;
	if (!explain_sample_place(sample, side->policy, &place))
		return 0;
	*ret = explain_make(side->policy, &place, &client, &side->diags);
	if (*ret != NULL)
		return 0;
	if (side->diags.nerrors == 0)
		return no_memory();
	diags_print(&side->diags, stderr);
	return EXIT_FAILURE;
}

/* Add what there is to say about a sample to `list`. */
static int explain_sample(struct run *run, const struct explain_sample *sample, json_t *list)
{
	json_t *one = NULL, *other = NULL, *made;
	int status = explain_side(run, &run->sides[0], sample, &one);

	if (status == 0 && run->sides[1].policy != NULL) {
		status = explain_side(run, &run->sides[1], sample, &other);
		made = status == 0 ? explain_diff_make(one, other) : NULL;
		if (status == 0 && made == NULL)
			status = no_memory();
		json_decref(one);
		json_decref(other);
		one = made;
	}
	if (status == 0 && json_array_append(list, one) != 0)
		status = no_memory();
	json_decref(one);
	return status;
}

static bool is_refused(const json_t *explanation)
{
	return json_is_null(json_object_get(explanation, "rule"));
}

/* The answer to a question about one client is an object, to others a list. */
static int show_explanations(const struct explain_question *question, json_t *list, bool json)
{
	bool one = question->listener != NULL && question->address != NULL;
	int status = one && is_refused(json_array_get(list, 0)) ? EXIT_FAILURE : EXIT_SUCCESS;
	json_t *item;
	size_t i;

	if (json)
		return json_print(json_incref(one ? json_array_get(list, 0) : list), stdout) == 0
			   ? status
			   : EXIT_FAILURE;
	json_array_foreach (list, i, item) {
		if (i > 0)
			(void)fputs("\n\n", stdout);
		explain_print(item, stdout);
	}
	return status;
}

/* As diff(1): 1 if something changes. */
static int show_changes(json_t *list, bool json)
{
	int status = EXIT_SUCCESS;
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (json_array_size(json_object_get(item, "changes")) > 0)
			status = EXIT_FAILURE;
	if (json)
		return json_print(json_pack("{s:b,s:O}", "same", status == EXIT_SUCCESS, "clients", list),
				  stdout) == 0
			   ? status
			   : EXIT_FAILURE;
	json_array_foreach (list, i, item)
		explain_diff_print(item, stdout);
	if (status == EXIT_SUCCESS)
		(void)puts("no answer changes");
	return status;
}

static int explain_all(struct run *run, bool json)
{
	json_t *list = json_array();
	int status = 0;

	for (size_t i = 0; i < run->samples.n && status == 0; i++)
		status = explain_sample(run, &run->samples.items[i], list);
	if (status == 0)
		status = run->sides[1].policy != NULL ? show_changes(list, json)
						      : show_explanations(run->question, list, json);
	json_decref(list);
	return status;
}

int explain_command(const char *path, const char *own, const struct explain_question *question, bool json)
{
	struct run run = { .question = question };
	const char *reason = "";
	int status = 0;

	if (question->certificate != NULL &&
	    trust_judge_load(question->certificate, &run.certificate, &reason) < 0) {
		(void)fprintf(stderr, "attlsctl: %s: %s\n", question->certificate, reason);
		return EXIT_USAGE;
	}
	status = load(&run.sides[0], path, own, run.certificate != NULL);
	if (status == 0 && question->other != NULL)
		status = load(&run.sides[1], question->other, own, run.certificate != NULL);
	if (status == 0)
		status =
		    explain_samples_make(run.sides[0].policy, run.sides[1].policy, question, &run.samples);
	if (status == 0)
		status = explain_all(&run, json);
	explain_samples_free(&run.samples);
	trust_judge_free(&run.certificate);
	for (size_t i = 0; i < 2; i++) {
		users_free(&run.sides[i].users);
		server_maps_free(&run.sides[i].maps);
		policy_free(&run.sides[i].policy);
		if (run.sides[i].loaded)
			diags_done(&run.sides[i].diags);
	}
	return status;
}
