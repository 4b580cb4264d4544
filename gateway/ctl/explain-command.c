/*
 * The command explain: takes a client from the command line, reads the policy, and
 * prints what happens to that client.
 */
#include "gateway/ctl/explain-command.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ctl/explain-print.h"
#include "gateway/ctl/explain.h"
#include "gateway/ctl/json-print.h"
#include "gateway/ctl/usage.h"
#include "gateway/host/policy-file.h"
#include "gateway/tls/identity.h"
#include "gateway/tls/users.h"

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
static int make_flow(const struct explain_question *client, const struct policy *policy,
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

static int explain(const struct explain_question *client, const struct policy *policy,
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
		return json_print(explanation, stdout) == 0 ? status : EXIT_FAILURE;
	explain_print(explanation, stdout);
	json_decref(explanation);
	return status;
}

/* Users and their password files matter only to a client that shows a certificate. */
static int explain_certificate(const struct explain_question *client, const struct policy *policy,
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
int explain_command(const char *path, const struct explain_question *client, bool json)
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
