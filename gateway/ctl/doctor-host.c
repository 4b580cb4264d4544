/*
 * What attlsd needs of the host before it starts: its users, capabilities, limits
 * and passive ports.
 */
#include "gateway/ctl/doctor-host.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/ctl/doctor-report.h"
#include "gateway/host/audit-open.h"
#include "gateway/host/capabilities.h"
#include "gateway/host/facts.h"

#define AS_ATTLSD      "attlsctl doctor, as the user that starts attlsd, usually root"
#define USERADD	       "useradd --system --no-create-home --shell /usr/sbin/nologin"
#define LOCAL_PORTS    "/proc/sys/net/ipv4/ip_local_port_range"
#define RESERVED_PORTS "/proc/sys/net/ipv4/ip_local_reserved_ports"

void doctor_check_user(struct doctor *doctor)
{
	const char *name = doctor->policy->daemon.user;

	errno = 0;
	if (getpwnam(name) != NULL) {
		doctor_ok(doctor, "workers run as %s%s", name,
			  geteuid() == 0 ? ""
					 : " if root starts attlsd, otherwise as the user that starts it");
		return;
	}
	if (errno != 0 && errno != ENOENT) { /* such as a directory service that does not answer */
		doctor_look(doctor, "getent passwd %s", name);
		doctor_cannot_tell(doctor, "cannot look up the user %s: %s", name, strerror(errno));
		return;
	}
	if (geteuid() != 0 && !doctor->policy->daemon.user_given) {
		doctor_ok(doctor, "workers run as the user that starts attlsd, or as nobody if that is root");
		return;
	}
	doctor_fix(doctor, USERADD " %s", name);
	if (doctor->policy->daemon.user_given)
		doctor_problem(doctor, "there is no user %s on this host", name);
	else
		doctor_warning(doctor, "there is no user %s on this host: workers run as nobody", name);
}

/*
 * The processes with the private keys run as this user. Without it, attlsd takes an id
 * that no user has, which it cannot reserve.
 */
void doctor_check_key_user(struct doctor *doctor)
{
	const struct passwd *user;
	unsigned uid;

	errno = 0;
	user = getpwnam(HOST_KEY_USER);
	if (user == NULL && errno != 0 && errno != ENOENT) {
		doctor_look(doctor, "getent passwd " HOST_KEY_USER);
		doctor_cannot_tell(doctor, "cannot look up the user " HOST_KEY_USER ": %s", strerror(errno));
		return;
	}
	if (user == NULL) {
		doctor_fix(doctor, USERADD " " HOST_KEY_USER);
		doctor_warning(doctor,
			       "there is no user " HOST_KEY_USER " on this host: the processes with the "
			       "private keys run with an id that no user has now");
		return;
	}
	uid = user->pw_uid;
	user = getpwnam(doctor->policy->daemon.user);
	if (user != NULL && user->pw_uid == uid) {
		doctor_fix(doctor, "set daemon: { user: attlsd } in %s", doctor->path);
		doctor_problem(doctor, "workers run as %s, like the processes with the private keys",
			       doctor->policy->daemon.user);
		return;
	}
	doctor_ok(doctor, "the processes with the private keys run as " HOST_KEY_USER);
}

void doctor_check_control_socket(struct doctor *doctor)
{
	const struct policy_daemon *daemon = &doctor->policy->daemon;
	char path[DOCTOR_TEXT_MAX];
	const char *folder;

	(void)snprintf(path, sizeof(path), "%s", daemon->control_socket);
	folder = dirname(path);
	if (access(folder, W_OK) == 0) {
		doctor_ok(doctor, "attlsctl can reach attlsd at %s", daemon->control_socket);
	} else if (!daemon->control_socket_given) {
		doctor_ok(doctor,
			  "systemd makes the folder %s when it starts attlsd; if attlsd is "
			  "started by hand without the folder, attlsctl cannot reach it",
			  folder);
	} else if (errno == EACCES && geteuid() != 0) {
		doctor_look(doctor, AS_ATTLSD);
		doctor_cannot_tell(doctor,
				   "whether attlsd can make control_socket in %s: this user cannot (%s)",
				   folder, strerror(EACCES));
	} else {
		doctor_fix(doctor, "install -d -m 700 '%s'", folder);
		doctor_problem(doctor, "attlsd cannot make control_socket in %s: %s", folder,
			       strerror(errno));
	}
}

/* For a file only: a socket does not use the space of its file system. */
static bool has_space(const char *path)
{
	char copy[DOCTOR_TEXT_MAX];
	struct statvfs fs;
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return true;
	(void)snprintf(copy, sizeof(copy), "%s", path);
	/* some file systems have no count of blocks */
	return statvfs(dirname(copy), &fs) < 0 || fs.f_blocks == 0 || fs.f_bavail > 0;
}

static void check_trail(struct doctor *doctor, const char *path)
{
	if (access(path, W_OK) < 0 && errno != ENOENT) {
		doctor_look(doctor, AS_ATTLSD);
		doctor_cannot_tell(doctor, "whether attlsd may write to %s: this user cannot (%s)", path,
				   strerror(errno));
	} else if (!has_space(path)) {
		doctor_fix(doctor, "make room; df -h shows which file systems are full");
		doctor_problem(doctor, "no space is left for %s", path);
	} else {
		doctor_ok(doctor, "events can go to %s", path);
	}
}

/* The same look as that of attlsctl check, whether this user may write there, and whether there is room. */
void doctor_check_audit(struct doctor *doctor)
{
	const struct policy_daemon *daemon = &doctor->policy->daemon;
	const char *const paths[] = { audit_open_path(daemon), daemon->xferlog };
	struct diags diags;

	if (diags_init(&diags, doctor->path, NULL, 0) < 0)
		return;
	(void)audit_open_check(daemon, &diags);
	for (size_t i = 0; i < diags.nitems; i++) {
		doctor_fix(doctor, "make its folder writable for the user that runs attlsd, or name another");
		doctor_problem(doctor, "%s", diags.items[i].message);
	}
	for (size_t i = 0; i < NELEM(paths) && diags.nitems == 0; i++)
		if (paths[i] != NULL)
			check_trail(doctor, paths[i]);
	diags_done(&diags);
}

/* Every folder on the way must let the members through. Returns the first that does not, or NULL. */
static const char *closed_folder(char path[static DOCTOR_TEXT_MAX], gid_t gid)
{
	const char *folder;
	struct stat st;

	do {
		folder = dirname(path); /* shortens path, or is "." */
		if (stat(folder, &st) == 0 && !(st.st_mode & S_IXOTH) &&
		    !(st.st_gid == gid && (st.st_mode & S_IXGRP)))
			return folder;
	} while (folder == path && strcmp(path, "/") != 0);
	return NULL;
}

void doctor_check_control_group(struct doctor *doctor)
{
	const struct policy_daemon *daemon = &doctor->policy->daemon;
	char path[DOCTOR_TEXT_MAX];
	const struct group *group = getgrnam(daemon->control_group);
	const char *closed;

	if (group == NULL) {
		doctor_fix(doctor, "groupadd --system %s", daemon->control_group);
		doctor_problem(doctor, "there is no group %s on this host", daemon->control_group);
		return;
	}
	(void)snprintf(path, sizeof(path), "%s", daemon->control_socket);
	closed = closed_folder(path, group->gr_gid);
	if (closed != NULL) {
		doctor_fix(doctor, "chmod 711 '%s' (systemd: RuntimeDirectoryMode=0711)", closed);
		doctor_problem(doctor,
			       "members of the group %s cannot reach control_socket: they may not enter %s",
			       daemon->control_group, closed);
		return;
	}
	doctor_ok(doctor, "members of the group %s may ask attlsd, but not give orders",
		  daemon->control_group);
}

void doctor_check_capabilities(struct doctor *doctor)
{
	const struct capability *missing;
	size_t at = 0;
	bool all = true;

	if (!capabilities_known()) {
		doctor_fix(doctor, "mount /proc here, so that capabilities can be read");
		doctor_cannot_tell(doctor, "the capabilities of this process cannot be read");
		return;
	}
	while ((missing = capabilities_missing(doctor->policy, &at)) != NULL) {
		all = false;
		doctor_fix(doctor,
			   geteuid() == 0 ? "let the container or service keep %s "
					    "(docker: --cap-add, systemd: CapabilityBoundingSet=)"
					  : "run attlsd and this command as root; the monitor keeps %s",
			   missing->name);
		doctor_report(doctor, missing->required ? DOCTOR_PROBLEM : DOCTOR_WARNING,
			      "%s is missing here, for %s", missing->name, missing->purpose);
	}
	if (all)
		doctor_ok(doctor,
			  "the user that runs attlsctl has all capabilities that attlsd needs at start");
}

void doctor_check_files(struct doctor *doctor)
{
	uint64_t wanted = (uint64_t)doctor->policy->daemon.limit_sessions * HOST_FDS_PER_SESSION;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1) {
		doctor_look(doctor, "ulimit -Hn");
		doctor_cannot_tell(doctor, "cannot read the limit of open files: %s", strerror(errno));
		return;
	}
	if (limit.rlim_max >= wanted) {
		doctor_ok(doctor, "%" PRIu64 " open files for %" PRIu32 " sessions", (uint64_t)limit.rlim_max,
			  doctor->policy->daemon.limit_sessions);
		return;
	}
	doctor_fix(doctor,
		   "ulimit -n %" PRIu64 " before attlsd is started, or LimitNOFILE=%" PRIu64
		   " in its service",
		   wanted, wanted);
	doctor_warning(doctor,
		       "%" PRIu32 " sessions (daemon.limits) may need %" PRIu64
		       " open files, but only %" PRIu64 " are allowed",
		       doctor->policy->daemon.limit_sessions, wanted, (uint64_t)limit.rlim_max);
}

/* A file of /proc that cannot be read answers no question. */
static void cannot_read(struct doctor *doctor, const char *path)
{
	doctor_look(doctor, "cat %s, as root, where /proc is mounted", path);
	doctor_cannot_tell(doctor, "cannot read %s", path);
}

static bool read_range(const char *path, unsigned *ret_low, unsigned *ret_high)
{
	FILE *file = fopen(path, "re");
	int n = 0;

	if (file != NULL) {
		n = fscanf(file, "%u %u", ret_low, ret_high);
		(void)fclose(file);
	}
	return n == 2;
}

/* Are all ports low..high in ip_local_reserved_ports, for example "1,5-7"? */
static bool is_reserved(unsigned low, unsigned high)
{
	FILE *file = fopen(RESERVED_PORTS, "re");
	unsigned first, last;
	bool found = false;

	if (file == NULL)
		return false;
	while (!found && fscanf(file, "%u", &first) == 1) {
		int c = fgetc(file);

		last = first;
		if (c == '-') {
			if (fscanf(file, "%u", &last) != 1)
				break;
			(void)fgetc(file);
		}
		found = first <= low && last >= high;
	}
	(void)fclose(file);
	return found;
}

/* The ports reserved now and all of the policy, since the new value replaces the old one. */
static void fix_reserved(struct doctor *doctor)
{
	FILE *file = fopen(RESERVED_PORTS, "re");
	char ports[DOCTOR_TEXT_MAX / 2] = "";

	if (file != NULL) {
		if (fgets(ports, sizeof(ports), file) != NULL)
			ports[strcspn(ports, "\n")] = '\0';
		(void)fclose(file);
	}
	for (size_t i = 0; i < doctor->policy->nftp_actions; i++) {
		struct port_range range = doctor->policy->ftp_actions[i].passivedataports;
		size_t len = strlen(ports);

		if (range.low != 0 && !is_reserved(range.low, range.high))
			(void)snprintf(ports + len, sizeof(ports) - len, "%s%u-%u", len > 0 ? "," : "",
				       range.low, range.high);
	}
	doctor_fix(doctor,
		   "sysctl -w net.ipv4.ip_local_reserved_ports=%s # to keep it: "
		   "the same in /etc/sysctl.d/attlsd.conf, without sysctl -w",
		   ports);
}

void doctor_check_ports(struct doctor *doctor)
{
	unsigned low, high;

	if (!read_range(LOCAL_PORTS, &low, &high) || access(RESERVED_PORTS, R_OK) != 0) {
		cannot_read(doctor, access(LOCAL_PORTS, R_OK) != 0 ? LOCAL_PORTS : RESERVED_PORTS);
		return;
	}
	for (size_t i = 0; i < doctor->policy->nftp_actions; i++) {
		const struct ftp_action *action = &doctor->policy->ftp_actions[i];
		struct port_range range = action->passivedataports;

		if (range.low == 0)
			continue;
		if (range.high < low || range.low > high || is_reserved(range.low, range.high)) {
			doctor_ok(doctor, "ftp_action %s: no other program gets ports %u-%u by chance",
				  action->name, range.low, range.high);
			continue;
		}
		fix_reserved(doctor);
		doctor_warning(doctor,
			       "ftp_action %s: outgoing connections of this host (%u-%u) "
			       "can take ports out of passivedataports %u-%u",
			       action->name, low, high, range.low, range.high);
	}
}
