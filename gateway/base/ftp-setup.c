/*
 * Sets up an FTP machine from a policy: the server, the ways to agree on data
 * connections with it, and which side greets. It is in base/ because both the worker
 * and attlsctl need it.
 */
#include "gateway/base/ftp-setup.h"

static uint8_t server_modes(const struct policy_backend *backend)
{
	uint8_t modes = FTP_MODE_ALL;

	if (backend->data == BACKEND_DATA_PASSIVE)
		modes &= FTP_MODE_EPSV | FTP_MODE_PASV;
	if (backend->data == BACKEND_DATA_ACTIVE)
		modes &= FTP_MODE_EPRT | FTP_MODE_PORT;
	if (backend->epsv == BACKEND_EPSV_ALWAYS)
		modes &= FTP_MODE_EPSV | FTP_MODE_EPRT;
	if (backend->epsv == BACKEND_EPSV_NEVER)
		modes &= FTP_MODE_PASV | FTP_MODE_PORT;
	return modes;
}

struct ip_endpoint ftp_setup_server(const struct ftp_setup_ends *ends, const struct policy_backend *backend)
{
	struct ip_endpoint endpoint = ends->local;

	if (!backend->original)
		return backend->servers[0].endpoint;
	if (backend->servers[0].endpoint.port != 0)
		endpoint.port = backend->servers[0].endpoint.port;
	else if (ends->implicit)
		endpoint.port = FTP_PORT;
	return endpoint;
}

bool ftp_setup_is_server(const struct ftp_setup_ends *ends, const struct policy_backend *backend,
			 const struct policy_server *server, const struct ip_addr *addr)
{
	struct ip_endpoint first = ftp_setup_server(ends, backend);

	if (!backend->balanced)
		server = &backend->servers[0];
	else if (server != NULL)
		first = server->endpoint;
	else
		return false;

	if (backend->nhosts > 0 && !policy_hosts_have(backend->hosts, backend->nhosts, addr))
		return false;
	for (size_t i = 0; i < server->naddresses; i++)
		if (ip_addr_equal(addr, &server->addresses[i]))
			return true;
	return ip_addr_equal(addr, &first.addr);
}

bool ftp_setup_tls_comes_first(const struct policy_listener *listener, const struct policy_rule *rule)
{
	return listener->tls == LISTENER_AUTO ||
	       (listener->tls == LISTENER_IMPLICIT && !rule->ftp->secureimplicitzos);
}

struct ftp_machine_setup ftp_setup_make(const struct ftp_setup_ends *ends, const struct policy_rule *rule)
{
	/* The server's PROXY header must describe TLS, so dial the server once TLS is up. */
	bool dial_after_tls = rule->backend->proxy == BACKEND_PROXY_V2;

	return (struct ftp_machine_setup){
		.action = rule->lenient != NULL ? rule->lenient : rule->ftp,
		.audited = rule->lenient != NULL ? rule->ftp : NULL,
		.permitted = &rule->backend->permitted,
		.client = ends->remote,
		.server = ftp_setup_server(ends, rule->backend).addr,
		.implicit = ends->implicit,
		.clear_only = ends->listener->tls == LISTENER_NONE,
		.server_security = &rule->backend->security,
		.drops_strays = rule->backend->stray_replies == BACKEND_STRAY_DROP,
		.abort = rule->backend->abort == BACKEND_ABORT_URGENT  ? FTP_ABORT_URGENT
			 : rule->backend->abort == BACKEND_ABORT_PLAIN ? FTP_ABORT_PLAIN
								       : FTP_ABORT_AUTO,
		.modes = server_modes(rule->backend),
		.side_reply_ms = rule->backend->side_reply_ms,
		.low_ports = rule->backend->low_ports,
		.command_line_max = rule->backend->command_line_max,
		.lazy_dial =
		    rule->backend->greet_first ||
		    (dial_after_tls && !(ends->implicit && ftp_setup_tls_comes_first(ends->listener, rule))),
	};
}
