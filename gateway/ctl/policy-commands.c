/*
 * attlsctl's commands check and doctor, which need no running attlsd. Each reads the
 * policy, calls the module that does the work, and prints the result as text or JSON.
 */
#include "gateway/ctl/policy-commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/ctl/check-json.h"
#include "gateway/ctl/doctor.h"
#include "gateway/view/json-print.h"
#include "gateway/host/policy-file.h"
#include "gateway/tls/policy-check.h"

int policy_command_check(const char *path, const char *own, bool json)
{
	struct diags diags;
	bool ok = policy_check(path, own, &diags) == 0;
	int status = ok ? EXIT_SUCCESS : EXIT_FAILURE;

	if (json) {
		if (check_json_print(&diags, ok, stdout) < 0)
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

int policy_command_doctor(const char *path, const char *own, bool json)
{
	struct policy *policy = NULL;
	struct diags diags;
	json_t *report;
	int status = EXIT_FAILURE;

	if (policy_file_load(path, own, &diags, &policy) < 0) {
		diags_print(&diags, stderr);
		diags_done(&diags);
		return EXIT_FAILURE;
	}
	report = doctor_examine(policy, path, own);
	if (report == NULL) {
		(void)fputs("attlsctl: not enough memory\n", stderr);
	} else {
		status = doctor_exit_status(report);
		if (!json)
			doctor_print(report, stdout);
		else if (json_print(json_incref(report), stdout) < 0)
			status = EXIT_FAILURE;
		json_decref(report);
	}
	policy_free(&policy);
	diags_done(&diags);
	return status;
}
