/* Collects the findings of all checks, and says what the policy needs of the host. */
#include "gateway/ctl/doctor-report.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#include "gateway/base/ftp-setup.h"
#include "gateway/ctl/ruleset.h"

void doctor_fix(struct doctor *doctor, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(doctor->fix, sizeof(doctor->fix), fmt, args);
	va_end(args);
}

void doctor_look(struct doctor *doctor, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(doctor->look, sizeof(doctor->look), fmt, args);
	va_end(args);
}

static const char *const level_names[] = {
	[DOCTOR_PROBLEM] = "problem",
	[DOCTOR_CANNOT_TELL] = "cannot tell",
	[DOCTOR_WARNING] = "warning",
	[DOCTOR_OK] = "ok",
};

const char *doctor_level_name(enum doctor_level level)
{
	return level_names[level];
}

static void add_hint(json_t *finding, const char *key, char *hint)
{
	if (hint[0] != '\0')
		(void)json_object_set_new(finding, key, json_string(hint));
	hint[0] = '\0';
}

static void __attribute__((format(printf, 3, 0)))
add(struct doctor *doctor, enum doctor_level level, const char *fmt, va_list args)
{
	const char *status = level_names[level];
	char detail[DOCTOR_TEXT_MAX];
	json_t *finding;

	(void)vsnprintf(detail, sizeof(detail), fmt, args);
	finding = json_pack("{s:s,s:s,s:s}", "check", doctor->check, "status", status, "detail", detail);
	if (finding == NULL) /* a path that is not UTF-8 */
		finding = json_pack("{s:s,s:s,s:s}", "check", doctor->check, "status", status, "detail",
				    "(not UTF-8)");
	add_hint(finding, "fix", doctor->fix);
	add_hint(finding, "look", doctor->look);
	(void)json_array_append_new(doctor->findings, finding);
	if (level < doctor->worst)
		doctor->worst = level;
}

void doctor_report(struct doctor *doctor, enum doctor_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(doctor, level, fmt, args);
	va_end(args);
}

void doctor_ok(struct doctor *doctor, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(doctor, DOCTOR_OK, fmt, args);
	va_end(args);
}

void doctor_warning(struct doctor *doctor, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(doctor, DOCTOR_WARNING, fmt, args);
	va_end(args);
}

void doctor_problem(struct doctor *doctor, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(doctor, DOCTOR_PROBLEM, fmt, args);
	va_end(args);
}

void doctor_cannot_tell(struct doctor *doctor, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(doctor, DOCTOR_CANNOT_TELL, fmt, args);
	va_end(args);
}

uint16_t doctor_dialled_port(const struct doctor *doctor, const struct policy_listener *listener)
{
	struct ruleset_tproxy tproxy;

	if (!listener->transparent)
		return listener->endpoint.port;
	if (doctor->ruleset != NULL &&
	    ruleset_find_tproxy(doctor->ruleset, listener->endpoint.addr.family, listener->endpoint.port,
				&tproxy) &&
	    tproxy.dialled.n > 0)
		return tproxy.dialled.ranges[0].low;
	return listener->tls == LISTENER_IMPLICIT ? FTPS_PORT : FTP_PORT;
}

bool doctor_is_dialled(const struct policy_listener *listener)
{
	return listener->transparent || !ip_addr_is_loopback(&listener->endpoint.addr);
}

bool doctor_is_open(const struct policy *policy, enum ip_family family)
{
	for (size_t i = 0; i < policy->nlisteners; i++) {
		const struct policy_listener *listener = &policy->listeners[i];

		if ((family == IP_NONE || listener->endpoint.addr.family == family) &&
		    doctor_is_dialled(listener))
			return true;
	}
	return false;
}
