/*
 * Finds FTP servers that listen on all addresses, although the policy names a loopback
 * address: other hosts reach them without TLS, past attlsd. Debian's vsftpd does this
 * with listen_ipv6=YES, because it then ignores listen_address.
 */
#include "gateway/ctl/doctor-exposed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/ctl/doctor-report.h"

#define TCP_LISTEN 10 /* the kernel's number of this state, as in /proc/net/tcp */

/* proc(5): local and remote address are hexadecimal, all zeros for any address. */
static const struct {
	const char *path;
	const char *any;
} tables[] = { { "/proc/net/tcp", "0.0.0.0" }, { "/proc/net/tcp6", "[::]" } };

static bool is_any(const char *hex)
{
	return hex[strspn(hex, "0")] == '\0';
}

/* Does a socket of this table listen on all addresses? 1, 0 or a negative errno. */
static int listens_on_any(const char *path, uint16_t port)
{
	FILE *table = fopen(path, "re");
	char line[256], address[33];
	unsigned local_port, state;
	int found = 0;

	if (table == NULL)
		return -errno;
	while (found == 0 && fgets(line, sizeof(line), table) != NULL)
		if (sscanf(line, " %*d: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x", address, &local_port, &state) == 3)
			found = local_port == port && state == TCP_LISTEN && is_any(address);
	(void)fclose(table);
	return found;
}

/* attlsd's own listener may have the port on all addresses. */
static bool is_own(const struct policy *policy, uint16_t port)
{
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy->listeners[i].endpoint.port == port)
			return true;
	return false;
}

static void look_at(struct doctor *doctor, const struct policy_backend *backend)
{
	uint16_t port = backend->endpoint.port;
	bool exposed = false;
	int r;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		r = listens_on_any(tables[i].path, port);
		if (r == -ENOENT && i > 0) /* a kernel without IPv6 */
			continue;
		if (r < 0) {
			doctor_look(doctor, "ss -ltn | grep :%u", port);
			doctor_cannot_tell(
			    doctor, "cannot see whether the server of \"%s\" is open to others: %s: %s",
			    backend->name, tables[i].path, strerror(-r));
			return;
		}
		if (r == 0)
			continue;
		exposed = true;
		doctor_fix(doctor,
			   "let the FTP server listen on the loopback address only (vsftpd: listen=YES, "
			   "listen_ipv6=NO, listen_address=127.0.0.1), then check with: ss -ltn");
		doctor_problem(
		    doctor, "the server of \"%s\" listens on %s:%u, so that other hosts reach it without TLS",
		    backend->name, tables[i].any, port);
	}
	if (!exposed)
		doctor_ok(doctor, "the server of \"%s\" does not listen on all addresses", backend->name);
}

void doctor_check_exposed(struct doctor *doctor)
{
	const struct policy *policy = doctor->policy;

	for (size_t i = 0; i < policy->nbackends; i++) {
		const struct policy_backend *backend = &policy->backends[i];

		if (!backend->original && ip_addr_is_loopback(&backend->endpoint.addr) &&
		    !is_own(policy, backend->endpoint.port))
			look_at(doctor, backend);
	}
}
