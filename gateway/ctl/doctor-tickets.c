/*
 * Checks the files of session_ticket_keys: can attlsd use them, and has somebody replaced the secrets
 * lately? Keys change by themselves at each epoch, but all of them are made of the same secret: whoever
 * steals the file can read the recorded TLS 1.2 sessions of its whole life. Only the file has a date: its
 * newest secret is at least as old as its last change.
 */
#include "gateway/ctl/doctor-tickets.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/ctl/doctor-report.h"
#include "gateway/tls/ticket-secrets.h"

#define DAY_S (24 * 60 * 60)
/* attlsctl(8) names both. */
#define LIFE_DAYS    90
#define REPLACE_DAYS 7 /* a replacement takes three reloads; tickets live for a day at most */

/* Clocks of other hosts and file servers differ a little. */
#define AHEAD_S 60

static void report_unusable(struct doctor *doctor, const struct tls_action *action, const char *message)
{
	const char *path = action->session_ticket_keys;
	struct stat st = { .st_mode = 0 };

	if (stat(path, &st) == -1 && errno == ENOENT)
		doctor_fix(
		    doctor,
		    "copy it from a gateway that has it, or make one for all: (umask 077; openssl rand "
		    "-base64 48 > '%s')",
		    path);
	else if (access(path, R_OK) == -1 && geteuid() != 0) {
		doctor_look(doctor, "attlsctl doctor -f '%s', as root", doctor->path);
		doctor_cannot_tell(doctor, "%s", message);
		return;
	} else if (S_ISREG(st.st_mode) &&
		   ((st.st_mode & 077) != 0 || (st.st_uid != 0 && st.st_uid != geteuid())))
		doctor_fix(doctor, "chown %u '%s' && chmod 600 '%s'", (unsigned)geteuid(), path, path);
	else
		doctor_fix(doctor, "attlsctl check -f '%s'", doctor->path);
	doctor_problem(doctor, "%s", message);
}

static void report_old(struct doctor *doctor, const struct tls_action *action, const char *age)
{
	const char *path = action->session_ticket_keys;

	/* echo first: a last line without its end would become one secret with the new one */
	doctor_fix(
	    doctor,
	    "(echo; openssl rand -base64 48) >> '%s', copy it to all gateways, and run attlsctl reload there; then "
	    "move the new line to the top and reload; after session_timeout, remove the old one",
	    path);
	doctor_warning(
	    doctor,
	    "no secret in %s of tls_actions.%s is younger than %s: whoever steals the file can read "
	    "the TLS 1.2 sessions that were recorded in all that time; replace it every %d days",
	    path, action->name, age, LIFE_DAYS);
}

static void report_unfinished(struct doctor *doctor, const struct tls_action *action, size_t n,
			      const char *age)
{
	const char *path = action->session_ticket_keys;

	doctor_fix(
	    doctor,
	    "check that the newest secret is the first line of '%s' everywhere, delete the others, copy it "
	    "to all gateways, and run attlsctl reload there",
	    path);
	doctor_warning(doctor,
		       "%s of tls_actions.%s has had %zu secrets for %s, so old ones are still accepted, and "
		       "the first one still makes all tickets",
		       path, action->name, n, age);
}

static void check_age(struct doctor *doctor, const struct tls_action *action, const struct ticket_file *file,
		      int64_t age_s)
{
	int64_t days = age_s / DAY_S;
	char age[40];

	(void)snprintf(age, sizeof(age), "%" PRId64 " day%s", days, days == 1 ? "" : "s");
	if (age_s < -AHEAD_S) {
		doctor_look(doctor, "date; ls -l '%s'", action->session_ticket_keys);
		doctor_cannot_tell(doctor,
				   "%s of tls_actions.%s was changed in the future, so its age says nothing",
				   action->session_ticket_keys, action->name);
	} else if (days >= LIFE_DAYS) {
		report_old(doctor, action, age);
	} else if (file->n > 1 && days >= REPLACE_DAYS) {
		report_unfinished(doctor, action, file->n, age);
	} else {
		doctor_ok(doctor, "%s of tls_actions.%s has %zu secret%s, last changed %s ago",
			  action->session_ticket_keys, action->name, file->n, file->n == 1 ? "" : "s", age);
	}
}

static void check_file(struct doctor *doctor, const struct tls_action *action)
{
	struct ticket_file file = { .n = 0 };
	struct diags diags;

	if (diags_init(&diags, doctor->path, NULL, 0) < 0)
		return;
	if (ticket_file_load(action, &diags, &file) == 0)
		check_age(doctor, action, &file, (int64_t)time(NULL) - (int64_t)file.made_s);
	for (size_t i = 0; i < diags.nitems; i++)
		report_unusable(doctor, action, diags.items[i].message);
	explicit_bzero(&file, sizeof(file));
	diags_done(&diags);
}

void doctor_check_tickets(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->policy->ntls_actions; i++)
		if (doctor->policy->tls_actions[i].session_ticket_keys != NULL)
			check_file(doctor, &doctor->policy->tls_actions[i]);
}
