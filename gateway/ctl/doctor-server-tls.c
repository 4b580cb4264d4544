/*
 * Makes the handshake with the servers of a backend that has `tls`, with the policy's
 * trust, pins, names and client certificate, and reports what a session would meet.
 */
#include "gateway/ctl/doctor-server-tls.h"

#include <stdio.h>

#include "gateway/base/util.h"
#include "gateway/ctl/probe.h"
#include "gateway/tls/certs.h"
#include "gateway/tls/tlsctx-client.h"
#include "gateway/tls/trust.h"

/* A partner needs this long to get a new certificate. */
#define EXPIRES_DAYS 14

#define PLAIN_PORT 21
#define TLS_PORT   990

/* What verifies the servers of one backend. */
struct verifier {
	struct certs *certs;
	struct trust *trust;
	struct tlsctx_client *client; /* NULL: the policy's files cannot be loaded */
};

/* A key in a token signs for attlsd only, so the server sees no certificate here. */
static bool shows_certificate(const struct policy_keyring *ring)
{
	for (size_t i = 0; ring != NULL && i < ring->ncertificates; i++)
		if (policy_key_is_in_token(&ring->certificates[i]))
			return false;
	return true;
}

static void load(struct doctor *doctor, const struct policy_backend *backend, struct verifier *verifier)
{
	const struct policy_keyring *ring = backend->tls->keyring;
	struct diags diags;
	int r;

	*verifier = (struct verifier){ .client = NULL };
	if (diags_init(&diags, doctor->path, NULL, 0) < 0)
		return;
	r = ring == NULL ? 0 : certs_load(ring, NULL, &diags, &verifier->certs);
	if (r == 0 && ring != NULL)
		r = trust_load(ring, &diags, &verifier->trust);
	if (r == 0 && diags.nerrors == 0)
		r = tlsctx_client_load(backend->tls, shows_certificate(ring) ? verifier->certs : NULL,
				       verifier->trust, &diags, &verifier->client);
	if (r < 0 || diags.nerrors > 0)
		tlsctx_client_free(&verifier->client);
	diags_done(&diags);
}

static void unload(struct verifier *verifier)
{
	tlsctx_client_free(&verifier->client);
	certs_free(&verifier->certs);
	trust_free(&verifier->trust);
}

static void report_certificate(struct doctor *doctor, const char *who, const struct probe_result *result)
{
	char until[IDENTITY_DATE_BYTES];
	int days;

	if (!result->identity.present)
		return;
	(void)identity_until(&result->identity, until, &days);
	if (days >= EXPIRES_DAYS)
		return;
	doctor_fix(doctor, "ask the server's owner for a new certificate; with pins, add its hash first");
	doctor_warning(doctor, "%s: its certificate expires on %s, in %d days", who, until, days);
}

static void report_resumption(struct doctor *doctor, const char *who, const struct policy_backend *backend,
			      const struct probe_result *result)
{
	if (result->resumption != PROBE_RESUMES_NOT ||
	    !session_reuse_is_required(backend->security.session_reuse))
		return;
	doctor_fix(doctor, "set secure_session_reuse: allowed in backends: %s", backend->name);
	doctor_problem(doctor,
		       "%s: resumes no TLS session, so every transfer fails with "
		       "secure_session_reuse: required",
		       who);
}

static void report_ccc(struct doctor *doctor, const char *who, const struct policy_backend *backend,
		       const struct probe_result *result)
{
	if (backend->security.ccc == SERVER_CCC_NEVER || !result->feat || (result->features & PROBE_CCC) != 0)
		return;
	doctor_fix(doctor,
		   "set ccc: never in backends: %s, and open the passive ports of the server in the "
		   "firewalls on the way",
		   backend->name);
	doctor_warning(doctor, "%s: FEAT has no CCC; sessions stay under TLS after the login", who);
}

static const char *yes_or_no(const struct probe_result *result, enum probe_feature feature)
{
	return (result->features & feature) != 0 ? "yes" : "no";
}

static void report_features(struct doctor *doctor, const char *who, const struct probe_result *result)
{
	if (result->feat)
		doctor_ok(doctor, "%s: FEAT before the login: EPSV %s, PASV %s, MLSD %s, CCC %s", who,
			  yes_or_no(result, PROBE_EPSV), yes_or_no(result, PROBE_PASV),
			  yes_or_no(result, PROBE_MLSD), yes_or_no(result, PROBE_CCC));
}

static void report_failure(struct doctor *doctor, const char *who, const struct policy_backend *backend,
			   const struct probe_target *target, const struct probe_result *result)
{
	char where[IP_TEXT_MAX];

	(void)ip_endpoint_format(&target->server, where);
	doctor_fix(doctor,
		   "attlsctl probe %s--hostname %s %s shows how this server speaks TLS, and the entry that "
		   "fits it",
		   backend->security.mechanism == SECURE_MECHANISM_IMPLICIT ? "--implicit " : "",
		   target->host, where);
	if (result->shown[0] != '\0')
		doctor_problem(doctor, "%s: refused: %s (certificate sha256 %s)", who, result->error,
			       result->shown);
	else if (result->auth_code != 0 && !result->tls)
		doctor_problem(doctor, "%s: %s; its answer to AUTH is %u %s", who, result->error,
			       (unsigned)result->auth_code, result->auth_text);
	else
		doctor_problem(doctor, "%s: %s", who, result->error);
}

/* One server. False: it does not accept the connection, and another address may. */
static bool look(struct doctor *doctor, const struct policy_backend *backend, struct probe_target *target,
		 bool last)
{
	struct probe_result result;
	char who[DOCTOR_TEXT_MAX / 2], where[IP_TEXT_MAX];
	bool up = probe_run(target, &result);
	bool answered = up || result.greeting[0] != '\0' || result.shown[0] != '\0';

	(void)snprintf(who, sizeof(who), "backend %s: %s (%s)", backend->name, target->host,
		       ip_endpoint_format(&target->server, where));
	if (up) {
		doctor_ok(doctor, "%s: %s %s, verified%s", who, result.version, result.cipher,
			  result.resumption == PROBE_RESUMES ? ", resumes sessions" : "");
		report_certificate(doctor, who, &result);
		report_resumption(doctor, who, backend, &result);
		report_ccc(doctor, who, backend, &result);
		report_features(doctor, who, &result);
	} else if (answered || last) {
		report_failure(doctor, who, backend, target, &result);
	}
	probe_result_done(&result);
	return answered;
}

/* As sessions do: one address after the other. */
static void look_at_addresses(struct doctor *doctor, const struct policy_backend *backend,
			      struct probe_target *target, const struct ip_addr *addresses, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		target->server.addr = addresses[i];
		if (look(doctor, backend, target, i + 1 == n))
			return;
	}
}

/* address: original: the policy's names are the servers. */
static void look_at_hosts(struct doctor *doctor, const struct policy_backend *backend,
			  struct probe_target *target)
{
	if (target->server.port == 0)
		target->server.port =
		    backend->security.mechanism == SECURE_MECHANISM_IMPLICIT ? TLS_PORT : PLAIN_PORT;
	for (size_t i = 0; i < backend->nhosts; i++) {
		target->host = backend->hostname != NULL ? backend->hostname : backend->hosts[i].name;
		look_at_addresses(doctor, backend, target, backend->hosts[i].addresses,
				  backend->hosts[i].naddresses);
	}
}

static void look_at_server(struct doctor *doctor, const struct policy_backend *backend,
			   struct probe_target *target)
{
	for (size_t i = 0; i < backend->nservers; i++) {
		const struct policy_server *server = &backend->servers[i];

		target->host = backend->hostname != NULL ? backend->hostname : server->host;
		target->server = server->endpoint;
		if (server->naddresses > 0)
			look_at_addresses(doctor, backend, target, server->addresses, server->naddresses);
		else
			look_at_addresses(doctor, backend, target, &server->endpoint.addr, 1);
	}
}

void doctor_check_server_tls(struct doctor *doctor, const struct policy_backend *backend)
{
	struct probe_target target = { .server = backend->servers[0].endpoint,
				       .mechanism = backend->security.mechanism };
	struct verifier verifier;

	if (backend->original && backend->nhosts == 0) {
		doctor_look(doctor, "attlsctl probe SERVER, for each server that clients may choose");
		doctor_cannot_tell(doctor, "backend %s: clients choose the server, and it has no hosts",
				   backend->name);
		return;
	}
	if (backend->proxy != BACKEND_PROXY_NONE) {
		doctor_look(doctor, "attlsctl sessions, after a login through attlsd");
		doctor_cannot_tell(doctor, "backend %s: its server expects a PROXY header before TLS",
				   backend->name);
		return;
	}
	load(doctor, backend, &verifier);
	target.client = verifier.client;
	if (verifier.client == NULL) {
		doctor_look(doctor, "attlsctl check, which says what is wrong with these files");
		doctor_cannot_tell(doctor, "backend %s: the key ring of tls_actions: %s cannot be loaded",
				   backend->name, backend->tls->name);
	} else if (backend->original) {
		look_at_hosts(doctor, backend, &target);
	} else {
		look_at_server(doctor, backend, &target);
	}
	unload(&verifier);
}
