/*
 * The input is a policy file, perhaps with the file of a node after a line "-N". Whatever it holds: either
 * there is a policy that is whole, or there is an error that can be printed.
 */
#include "policy/policy.h"

#include <errno.h>
#include <stdio.h>

#include "tests/fuzz/fuzz.h"

static void check_rules(const struct policy *policy)
{
	assert(policy->nrules > 0);
	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		const struct policy_rule *before = i > 0 ? rule - 1 : NULL;

		assert(rule->name != NULL && rule->ftp != NULL && rule->backend != NULL);
		assert(rule->tls == NULL ||
		       (rule->tls->keyring != NULL && rule->tls->keyring->ncertificates > 0));
		assert(before == NULL || before->priority > rule->priority ||
		       (before->priority == rule->priority && strcmp(before->name, rule->name) < 0));
	}
}

/* A rule that is found must let this flow in. */
static void check_match(const struct policy *policy)
{
	static const uint8_t bytes[16] = { 10, 0, 0, 1 };
	struct policy_flow flow = { .remote = ip_addr_make(IP_V4, bytes),
				    .local = ip_addr_make(IP_V6, bytes) };

	for (size_t i = 0; i < policy->nlisteners; i++) {
		const struct policy_rule *rule;
		bool listed = false;

		flow.listener = &policy->listeners[i];
		assert(flow.listener->index == i);
		rule = policy_match(policy, &flow);
		for (size_t j = 0; rule != NULL && j < rule->nlisteners; j++)
			listed = listed || rule->listeners[j] == flow.listener;
		assert(rule == NULL || rule->nlisteners == 0 || listed);
	}
}

/* What is printed must leave a terminal alone. */
static void check_print(const struct diags *diags)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert(out != NULL);
	diags_print(diags, out);
	assert(fclose(out) == 0);
	for (size_t i = 0; i < len; i++)
		assert((uint8_t)text[i] >= ' ' || text[i] == '\n' || text[i] == '\t');
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy *policy = NULL;
	struct diags diags;
	uint8_t *copy = fuzz_copy(data, size);
	static const char line[] = "\n-N\n";
	const char *cut = memmem(copy, size, line, strlen(line));
	const char *mine = cut != NULL ? cut + strlen(line) : NULL;
	size_t len = cut != NULL ? (size_t)(cut - (const char *)copy) : size;
	const struct policy_own_text own = { .file = "node.yaml",
					     .text = mine,
					     .len = mine != NULL ? size - len - strlen(line) : 0 };
	int r;

	assert(diags_init(&diags, "policy.yaml", (const char *)copy, len) == 0);
	assert(own.text == NULL || diags_add_own(&diags, own.file, own.text, own.len) == 0);
	r = policy_parse_own((const char *)copy, len, "/etc/attlsd", &own, &diags, &policy);
	free(copy); /* nothing may point into it any more */
	assert((r == 0 && policy != NULL && diags.nerrors == 0) ||
	       (r == -EINVAL && policy == NULL && diags.nerrors > 0));
	if (policy != NULL) {
		check_rules(policy);
		check_match(policy);
	}
	check_print(&diags);
	policy_free(&policy);
	assert(policy == NULL);
	diags_done(&diags);
	return 0;
}
