/*
 * attlsctl's commands that need no running attlsd: check, explain and doctor. Each
 * reads the policy, calls the module that does the work, and prints the result as
 * text or JSON.
 */
#include "gateway/ctl/policy-commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ctl/doctor.h"
#include "gateway/ctl/explain-print.h"
#include "gateway/ctl/explain.h"
#include "gateway/ctl/usage.h"
#include "gateway/host/policy-file.h"
#include "gateway/tls/identity.h"
#include "gateway/tls/policy-check.h"
#include "gateway/tls/users.h"

/* Print the value and free it. */
static int print_json(json_t *json)
{
	int r = json == NULL ? -1 : json_dumpf(json, stdout, JSON_INDENT(2));

	json_decref(json);
	(void)putchar('\n');
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static json_t *diags_to_json(const struct diags *diags, bool ok)
{
	json_t *list = json_array();

	for (size_t i = 0; i < diags->nitems; i++) {
		const struct diag *item = &diags->items[i];
		json_t *message;

		if (item->level == DIAG_NOTE && !ok)
			continue;
		/* a message may quote a path in any encoding */
		message = json_string(item->message);
		if (message == NULL)
			message = json_string("(not UTF-8; see the text output)");
		(void)json_array_append_new(list, json_pack("{s:s,s:i,s:i,s:o}", "level",
							    diag_level_name(item->level), "line",
							    (int)item->mark.line, "column",
							    (int)item->mark.column, "message", message));
	}
	return json_pack("{s:b,s:i,s:o}", "ok", ok, "errors", (int)diags->nerrors, "diagnostics", list);
}

int policy_command_check(const char *path, bool json)
{
	struct diags diags;
	bool ok = policy_check(path, &diags) == 0;
	int status = ok ? EXIT_SUCCESS : EXIT_FAILURE;

	if (json) {
		if (print_json(diags_to_json(&diags, ok)) != EXIT_SUCCESS)
			status = EXIT_FAILURE;
	} else {
		diags_print(&diags, stderr);
		if (ok)
			diags_print_notes(&diags,
					  stderr); /* they are for a policy that can come into force */
		if (ok)
			(void)printf("%s: ok\n", path);
		else
			(void)fprintf(stderr, "%zu error%s\n", diags.nerrors, diags.nerrors == 1 ? "" : "s");
	}
	diags_done(&diags);
	return status;
}

static const struct policy_listener *find_listener(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (strcmp(policy->listeners[i].name, name) == 0)
			return &policy->listeners[i];
	return NULL;
}

static bool asks_for_local(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nrules; i++)
		if (policy->rules[i].nlocal_addrs > 0)
			return true;
	return false;
}

/*
 * Find the connection that the options describe. Returns 0, or the exit status after
 * printing what is wrong.
 */
static int make_flow(const struct explained_client *client, const struct policy *policy,
		     struct policy_flow *flow)
{
	const struct ip_addr *listening;

	*flow = (struct policy_flow){ .listener = find_listener(policy, client->listener) };
	if (flow->listener == NULL)
		return usage_fault("the policy has no listener", client->listener);
	listening = &flow->listener->endpoint.addr;
	flow->local = *listening;
	if (ip_addr_parse(client->address, strlen(client->address), &flow->remote) < 0)
		return usage_fault("not an IP address:", client->address);
	if (client->local != NULL && ip_addr_parse(client->local, strlen(client->local), &flow->local) < 0)
		return usage_fault("not an IP address:", client->local);
	if (flow->remote.family != listening->family)
		return usage_fault("this listener has no clients of that address family:", client->address);
	if (client->local != NULL && !ip_addr_is_any(listening) && !ip_addr_equal(&flow->local, listening))
		return usage_fault("this listener is not at", client->local);
	if (flow->local.family != listening->family)
		return usage_fault("this listener is not at", client->local);
	if (ip_addr_is_any(&flow->local) && asks_for_local(policy))
		return usage_fault(
		    "rules of this policy depend on the address that was dialled: give --local", "");
	return 0;
}

static int explain(const struct explained_client *client, const struct policy *policy,
		   const struct identity *identity, const struct users *users, bool json)
{
	struct policy_flow flow;
	json_t *explanation;
	int status = make_flow(client, policy, &flow);

	if (status != 0)
		return status;
	explanation = explain_make(policy, &flow, identity, users);
	if (explanation == NULL) {
		(void)fputs("attlsctl: not enough memory\n", stderr);
		return EXIT_FAILURE;
	}
	status = json_is_null(json_object_get(explanation, "rule")) ? EXIT_FAILURE : EXIT_SUCCESS;
	if (json)
		return print_json(explanation) == EXIT_SUCCESS ? status : EXIT_FAILURE;
	explain_print(explanation, stdout);
	json_decref(explanation);
	return status;
}

/* Users and their password files matter only to a client that shows a certificate. */
static int explain_certificate(const struct explained_client *client, const struct policy *policy,
			       struct diags *diags, bool json)
{
	struct identity identity = { .present = false };
	struct users *users = NULL;
	const char *reason = "";
	int status = EXIT_FAILURE;

	if (identity_from_file(client->certificate, &identity, &reason) < 0) {
		(void)fprintf(stderr, "attlsctl: %s: %s\n", client->certificate, reason);
		return EXIT_USAGE;
	}
	if (users_load(policy, diags, &users) == 0)
		status = explain(client, policy, &identity, users, json);
	else
		diags_print(diags, stderr);
	users_free(&users);
	identity_done(&identity);
	return status;
}

/* No keys are read, so any user who may read the policy can run this. */
int policy_command_explain(const char *path, const struct explained_client *client, bool json)
{
	struct policy *policy = NULL;
	struct diags diags;
	int status = EXIT_FAILURE;

	if (policy_file_load(path, &diags, &policy) < 0)
		diags_print(&diags, stderr);
	else if (client->certificate != NULL)
		status = explain_certificate(client, policy, &diags, json);
	else
		status = explain(client, policy, NULL, NULL, json);
	policy_free(&policy);
	diags_done(&diags);
	return status;
}

int policy_command_doctor(const char *path, bool json)
{
	struct policy *policy = NULL;
	struct diags diags;
	json_t *report;
	int status = EXIT_FAILURE;

	if (policy_file_load(path, &diags, &policy) < 0) {
		diags_print(&diags, stderr);
		diags_done(&diags);
		return EXIT_FAILURE;
	}
	report = doctor_examine(policy, path);
	if (report == NULL) {
		(void)fputs("attlsctl: not enough memory\n", stderr);
	} else {
		status = doctor_exit_status(report);
		if (!json)
			doctor_print(report, stdout);
		else if (print_json(json_incref(report)) != EXIT_SUCCESS)
			status = EXIT_FAILURE;
		json_decref(report);
	}
	policy_free(&policy);
	diags_done(&diags);
	return status;
}
