/*
 * `attlsctl probe`: looks an FTP server's name up, probes each of its addresses until one
 * answers, and prints the result and the policy that fits it.
 */
#include "gateway/ctl/probe-command.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/ctl/host-port.h"
#include "gateway/ctl/probe-print.h"
#include "gateway/ctl/usage.h"
#include "gateway/tls/trust.h"

static const char plain_port[] = "21";
static const char tls_port[] = "990";

/*
 * How a policy would look at the server: as it must be; without its name; and by the hash
 * of the certificate that it has shown, so that the rest can be seen as well.
 */
static const struct tls_action strict = {
	.name = "probe",
	.role = ROLE_CLIENT,
	.versions = POLICY_TLS1_2 | POLICY_TLS1_3,
	.secure_hostname = SECURE_HOSTNAME_REQUIRED,
	.session_timeout_s = 3600,
};

static bool run_with(const struct tls_action *action, struct probe_target *target, const struct trust *trust,
		     struct probe_result *ret)
{
	struct tlsctx_client *client = NULL;
	struct diags diags;
	bool up = false;

	if (diags_init(&diags, "", NULL, 0) < 0)
		return false;
	*ret = (struct probe_result){ .error = "not enough memory" };
	if (tlsctx_client_load(action, NULL, trust, &diags, &client) == 0) {
		target->client = client;
		up = probe_run(target, ret);
	}
	tlsctx_client_free(&client);
	diags_done(&diags);
	return up;
}

/* As the handshake of the first try has failed. */
static enum probe_verified find_fault(struct probe_target *target, const struct policy_keyring *ring,
				      const struct trust *trust, struct probe_result *result,
				      char reason[static PROBE_TEXT_MAX])
{
	const char *pins[] = { result->shown };
	char shown[TLSCTX_SHA256_TEXT];
	struct tls_action action = strict;
	struct probe_result again;

	if (result->shown[0] == '\0')
		return PROBE_UNSEEN;
	memcpy(reason, result->error, PROBE_TEXT_MAX);
	memcpy(shown, result->shown, sizeof(shown));
	pins[0] = shown;
	action.keyring = ring;
	action.secure_hostname = SECURE_HOSTNAME_OPTIONAL;
	if (run_with(&action, target, trust, &again)) {
		*result = again;
		return PROBE_WRONG_NAME;
	}
	probe_result_done(&again);
	action.keyring = NULL;
	action.pins = pins;
	action.npins = 1;
	if (run_with(&action, target, NULL, &again)) {
		*result = again;
		return PROBE_UNTRUSTED;
	}
	probe_result_done(&again);
	return PROBE_UNUSABLE;
}

/* One address after the other, until one accepts the connection. */
static int probe_addresses(const struct addrinfo *found, struct probe_target *target,
			   const struct policy_keyring *ring, const struct trust *trust,
			   struct probe_names *names, bool json)
{
	struct tls_action action = strict;
	struct probe_result result = { .tls = false };
	bool up = false;

	action.keyring = ring;
	for (; found != NULL; found = found->ai_next) {
		target->server = host_port_endpoint(found);
		up = run_with(&action, target, trust, &result);
		if (up || result.greeting[0] != '\0' || result.shown[0] != '\0' || found->ai_next == NULL)
			break;
		probe_result_done(&result);
	}
	names->verified = up ? PROBE_VERIFIED : find_fault(target, ring, trust, &result, names->reason);
	probe_print(target, names, &result, json);
	probe_result_done(&result);
	return up ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int probe_name(const char *host, const char *port, struct probe_target *target,
		      const struct policy_keyring *ring, const struct trust *trust, struct probe_names *names,
		      bool json)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int status = getaddrinfo(host, port, &hints, &found);

	if (status != 0) {
		(void)fprintf(stderr, "attlsctl: %s port %s: %s\n", host, port, gai_strerror(status));
		return EXIT_FAILURE;
	}
	status = probe_addresses(found, target, ring, trust, names, json);
	freeaddrinfo(found);
	return status;
}

/* Returns 0, or -1 after printing why. */
static int load_trust(const struct policy_keyring *ring, struct trust **ret_trust)
{
	struct diags diags;
	int r = diags_init(&diags, "", NULL, 0);

	if (r < 0)
		return -1;
	r = trust_load(ring, &diags, ret_trust);
	if (r < 0 || diags.nerrors > 0) {
		(void)fprintf(stderr, "attlsctl: %s\n",
			      diags.nitems > 0 ? diags.items[0].message : strerror(ENOMEM));
		trust_free(ret_trust);
		r = -1;
	}
	diags_done(&diags);
	return r;
}

int probe_command(const struct probe_options *options)
{
	struct probe_target target = { .any_mechanism = !options->implicit };
	struct probe_names names = { .trust = options->trust };
	const struct policy_keyring ring = {
		.name = "probe",
		.trust = options->trust,
		.trust_system = options->trust == NULL,
	};
	struct trust *trust = NULL;
	char host[HOST_PORT_MAX];
	const char *port = options->implicit ? tls_port : plain_port;
	int status;

	if (!host_port_split(options->host, host, &port))
		return usage_fault("not HOST or HOST:PORT:", options->host);
	names.host = host;
	target.host = names.hostname = options->hostname != NULL ? options->hostname : host;
	if (options->implicit || strcmp(port, tls_port) == 0) {
		target.mechanism = SECURE_MECHANISM_IMPLICIT;
		target.any_mechanism = false;
	}
	if (load_trust(&ring, &trust) < 0)
		return EXIT_FAILURE;
	status = probe_name(host, port, &target, &ring, trust, &names, options->json);
	trust_free(&trust);
	return status;
}
