/*
 * attlsctl doctor: the table of all checks in order, with the condition under which
 * a policy needs each, and the report. The checks are in the doctor-*.c files, by
 * subject.
 */
#include "gateway/ctl/doctor.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/ctl/doctor-certificates.h"
#include "gateway/ctl/doctor-exposed.h"
#include "gateway/ctl/doctor-forward.h"
#include "gateway/ctl/doctor-host.h"
#include "gateway/ctl/doctor-http.h"
#include "gateway/ctl/doctor-input.h"
#include "gateway/ctl/doctor-kernel.h"
#include "gateway/ctl/doctor-listeners.h"
#include "gateway/ctl/doctor-login.h"
#include "gateway/ctl/doctor-report.h"
#include "gateway/ctl/doctor-rules.h"
#include "gateway/ctl/doctor-server.h"
#include "gateway/ctl/doctor-tickets.h"
#include "gateway/ctl/ruleset.h"
#include "gateway/host/facts.h"

#define NAME_WIDTH   14 /* of the longest name, "control_socket" */
#define STATUS_WIDTH 11 /* of "cannot tell" */
#define EXIT_UNSURE  3	/* no problem, but something that could not be decided; 2 is for wrong usage */

static bool always(const struct policy *policy)
{
	(void)policy;
	return true;
}

static bool expects(const struct policy *policy)
{
	return policy->nat.conntrack == NAT_CONNTRACK_EXPECT;
}

static bool has_set(const struct policy *policy)
{
	return policy->nat.conntrack == NAT_CONNTRACK_SET;
}

static bool tracks(const struct policy *policy)
{
	return policy->nat.conntrack != NAT_CONNTRACK_OFF;
}

static bool is_transparent(const struct policy *policy)
{
	return host_wants_transparent(policy, IP_NONE);
}

/*
 * These policies cannot work without rules. For others the rules matter if they can
 * be read and other hosts connect.
 */
static bool needs_rules(const struct policy *policy)
{
	return tracks(policy) || is_transparent(policy);
}

static bool is_dialled(const struct policy *policy)
{
	return doctor_is_open(policy, IP_NONE);
}

/* As attlsd would, started by the user that asks. */
static bool isolates(const struct policy *policy)
{
	return policy_isolates_keys(policy, geteuid() == 0);
}

static bool has_audit(const struct policy *policy)
{
	return policy->daemon.audit != NULL || policy->daemon.xferlog != NULL;
}

static bool has_control_group(const struct policy *policy)
{
	return policy->daemon.control_group != NULL && policy->daemon.control_socket != NULL;
}

static bool has_control_socket(const struct policy *policy)
{
	return policy->daemon.control_socket != NULL;
}

static bool has_login_check(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nftp_actions; i++)
		if (policy->ftp_actions[i].login_check != NULL)
			return true;
	return false;
}

static bool has_tickets(const struct policy *policy)
{
	for (size_t i = 0; i < policy->ntls_actions; i++)
		if (policy->tls_actions[i].session_ticket_keys != NULL)
			return true;
	return false;
}

static bool has_http(const struct policy *policy)
{
	const struct policy_daemon *daemon = &policy->daemon;

	return daemon->http.path != NULL || daemon->http.endpoint.addr.family != IP_NONE ||
	       daemon->agent.endpoint.addr.family != IP_NONE;
}

/*
 * matters: does this policy need the check? A check that needs the ruleset is left
 * out if there is none.
 */
static const struct check {
	const char *name;
	bool (*matters)(const struct policy *policy);
	bool reads_rules;
	void (*run)(struct doctor *doctor);
} checks[] = {
	{ "certificates", always, false, doctor_check_certificates },
	{ "tickets", has_tickets, false, doctor_check_tickets },
	{ "user", always, false, doctor_check_user },
	{ "key_user", isolates, false, doctor_check_key_user },
	{ "control_socket", has_control_socket, false, doctor_check_control_socket },
	{ "audit", has_audit, false, doctor_check_audit },
	{ "control_group", has_control_group, false, doctor_check_control_group },
	{ "capabilities", always, false, doctor_check_capabilities },
	{ "files", always, false, doctor_check_files },
	{ "addresses", always, false, doctor_check_addresses },
	{ "listeners", always, false, doctor_check_listeners },
	{ "login_check", has_login_check, false, doctor_check_login },
	{ "http", has_http, false, doctor_check_http },
	{ "ports", always, false, doctor_check_ports },
	{ "backends", always, false, doctor_check_servers },
	{ "exposed", always, false, doctor_check_exposed },
	{ "ktls", host_wants_ktls, false, doctor_check_ktls },
	{ "rules", needs_rules, false, doctor_check_rules },
	{ "input", is_dialled, false, doctor_check_input },
	{ "conntrack", needs_rules, false, doctor_check_conntrack },
	{ "helper", expects, true, doctor_check_helper },
	{ "expectations", expects, false, doctor_check_expectations },
	{ "notrack", tracks, true, doctor_check_tracking },
	{ "related", expects, true, doctor_check_related },
	{ "set", has_set, true, doctor_check_set },
	{ "tproxy", is_transparent, true, doctor_check_tproxy },
	{ "socket", is_transparent, true, doctor_check_socket },
	{ "route", is_transparent, true, doctor_check_route },
	{ "forward", is_transparent, true, doctor_check_forward },
	{ "rp_filter", is_transparent, false, doctor_check_rp_filter },
	{ "forwarding", is_transparent, false, doctor_check_forwarding },
};

/* Which values are not those of the policy. */
static void list_own(struct doctor *doctor, const char *own)
{
	doctor->check = "node";
	for (size_t i = 0; i < doctor->policy->nown; i++)
		doctor_ok(doctor, "%s comes from %s:%u", doctor->policy->own[i].key, own,
			  doctor->policy->own[i].mark.line);
}

json_t *doctor_examine(const struct policy *policy, const char *path, const char *own)
{
	struct doctor doctor = {
		.policy = policy, .path = path, .findings = json_array(), .worst = DOCTOR_OK
	};
	json_t *report;

	if (doctor.findings == NULL)
		return NULL;
	list_own(&doctor, own);
	doctor.ruleset_error = ruleset_load(&doctor.ruleset);
	for (size_t i = 0; i < NELEM(checks); i++) {
		if (!checks[i].matters(policy) || (checks[i].reads_rules && doctor.ruleset == NULL))
			continue;
		doctor.check = checks[i].name;
		checks[i].run(&doctor);
	}
	ruleset_free(&doctor.ruleset);
	report = json_pack("{s:b,s:s,s:o}", "ok", doctor.worst > DOCTOR_CANNOT_TELL, "status",
			   doctor_level_name(doctor.worst), "findings", doctor.findings);
	return report;
}

int doctor_exit_status(const json_t *report)
{
	const char *status = json_string_value(json_object_get(report, "status"));

	if (json_is_true(json_object_get(report, "ok")))
		return EXIT_SUCCESS;
	return status != NULL && strcmp(status, doctor_level_name(DOCTOR_CANNOT_TELL)) == 0 ? EXIT_UNSURE
											    : EXIT_FAILURE;
}

static void print_hint(FILE *out, const json_t *finding, const char *key)
{
	const char *hint = json_string_value(json_object_get(finding, key));

	if (hint != NULL)
		(void)fprintf(out, "%*s: %s\n", STATUS_WIDTH + NAME_WIDTH, key, hint);
}

void doctor_print(const json_t *report, FILE *out)
{
	json_t *finding;
	size_t i;

	json_array_foreach (json_object_get(report, "findings"), i, finding) {
		(void)fprintf(out, "%-*s %-*s %s\n", STATUS_WIDTH,
			      json_string_value(json_object_get(finding, "status")), NAME_WIDTH,
			      json_string_value(json_object_get(finding, "check")),
			      json_string_value(json_object_get(finding, "detail")));
		print_hint(out, finding, "fix");
		print_hint(out, finding, "look");
	}
}
