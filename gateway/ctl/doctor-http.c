/*
 * Can attlsd serve daemon.http and daemon.agent? The process of both is a program of its own,
 * in a package of its own, and its sockets must be free. The check of certificates looks at
 * the key ring and the token, and a policy that opens "http" to other hosts without them is
 * not valid.
 */
#include "gateway/ctl/doctor-http.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/ctl/doctor-listeners.h"
#include "gateway/ctl/doctor-report.h"
#include "gateway/host/facts.h"
#include "gateway/host/program.h"

#define PROGRAM "attlsd-http"

/* attlsd looks for it in its own folder, which is that of attlsctl. */
static void check_program(struct doctor *doctor)
{
	char path[PATH_MAX];
	int r = program_beside(PROGRAM, path);
	struct stat st;

	if (r < 0) {
		doctor_look(doctor, "ls -l attlsd-http, in the folder of attlsd");
		doctor_cannot_tell(doctor, "whether attlsd-http is installed: %s", strerror(-r));
		return;
	}
	if (stat(path, &st) == -1) {
		doctor_fix(doctor, "apt install attlsd-http # or make install, or the package of that name");
		doctor_problem(doctor, "the program %s, which serves daemon.http and daemon.agent: %s", path,
			       strerror(errno));
	} else if (!S_ISREG(st.st_mode) || access(path, X_OK) == -1) {
		doctor_fix(doctor, "chmod 755 '%s'", path);
		doctor_problem(doctor, "%s cannot be executed, so attlsd cannot serve daemon.http", path);
	} else {
		doctor_ok(doctor, "%s is installed", path);
	}
}

/* Without it, attlsd takes an id that no user has, which it cannot reserve. */
static void check_user(struct doctor *doctor)
{
	if (geteuid() != 0)
		return; /* started by another user, attlsd changes to none */
	errno = 0;
	if (getpwnam(HOST_HTTP_USER) != NULL) {
		doctor_ok(doctor, "attlsd-http runs as " HOST_HTTP_USER);
	} else if (errno != 0 && errno != ENOENT) {
		doctor_look(doctor, "getent passwd " HOST_HTTP_USER);
		doctor_cannot_tell(doctor, "cannot look up the user " HOST_HTTP_USER ": %s", strerror(errno));
	} else {
		doctor_fix(doctor,
			   "useradd --system --no-create-home --shell /usr/sbin/nologin " HOST_HTTP_USER);
		doctor_warning(doctor, "there is no user " HOST_HTTP_USER
				       " on this host: attlsd-http runs with an id that no user has now");
	}
}

static void check_endpoint(struct doctor *doctor, const char *name, const char *place,
			   const struct ip_endpoint *endpoint)
{
	const struct doctor_port port = { .name = name, .place = place, .endpoint = *endpoint };
	char text[IP_TEXT_MAX];

	if (endpoint->addr.family == IP_NONE || endpoint->port == 0 || doctor_check_port(doctor, &port))
		return;
	(void)ip_addr_format(&endpoint->addr, text);
	doctor_fix(doctor, "ip address add %s dev INTERFACE # or change the address of %s in %s", text, place,
		   doctor->path);
	doctor_problem(doctor, "%s: this host does not have the address %s", name, text);
}

/* Whoever can write to the folder of control_socket can make this socket there as well. */
static void check_path(struct doctor *doctor, const char *path)
{
	const char *control = doctor->policy->daemon.control_socket;
	char copy[DOCTOR_TEXT_MAX], other[DOCTOR_TEXT_MAX];
	const char *folder;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	(void)snprintf(other, sizeof(other), "%s", control != NULL ? control : "");
	folder = dirname(copy);
	if (control != NULL && strcmp(folder, dirname(other)) == 0) {
		doctor_ok(doctor, "http: %s is in the folder of control_socket", path);
	} else if (access(folder, W_OK) == 0) {
		doctor_ok(doctor, "http: attlsd can make the socket %s", path);
	} else {
		doctor_fix(doctor, "install -d -m 755 '%s', for the user that starts attlsd", folder);
		doctor_problem(doctor, "http: attlsd cannot make its socket in %s: %s", folder,
			       strerror(errno));
	}
}

/* Who can read which users are logged in, and what they transfer? */
static void check_readers(struct doctor *doctor, const struct policy_http *http)
{
	char text[IP_TEXT_MAX];

	if (http->token_file != NULL)
		doctor_ok(doctor, "http: only those who have the token can read names of users and files");
	else if (http->endpoint.addr.family != IP_NONE)
		doctor_ok(
		    doctor,
		    "http: every user of this host can read names of users and files at %s, but no other host",
		    ip_endpoint_format(&http->endpoint, text));
}

void doctor_check_http(struct doctor *doctor)
{
	const struct policy_daemon *daemon = &doctor->policy->daemon;

	check_program(doctor);
	check_user(doctor);
	check_endpoint(doctor, "http", "daemon: http", &daemon->http.endpoint);
	check_endpoint(doctor, "agent", "daemon: agent", &daemon->agent.endpoint);
	if (daemon->http.path != NULL)
		check_path(doctor, daemon->http.path);
	check_readers(doctor, &daemon->http);
}
