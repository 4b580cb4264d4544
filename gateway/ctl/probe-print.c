/*
 * Prints the result of a probe, then a policy for this server: a key ring, a tls_action
 * and a backend.
 */
#include "gateway/ctl/probe-print.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/tls/identity.h"

#define NAMES_MAX 512

/* What is known of the server's certificate. */
struct shown {
	char names[NAMES_MAX]; /* its subject alternative names */
	char until[IDENTITY_DATE_BYTES];
	int days;
};

static void look_at_certificate(const struct identity *identity, struct shown *shown)
{
	char san[IDENTITY_SAN_MAX];
	size_t used = 0;

	*shown = (struct shown){ .days = 0 };
	if (!identity->present)
		return;
	(void)identity_until(identity, shown->until, &shown->days);
	for (int i = 0; identity_san(identity, i, san); i++) {
		int n = snprintf(shown->names + used, NAMES_MAX - used, "%s%s", used > 0 ? ", " : "", san);

		if (n < 0 || (size_t)n >= NAMES_MAX - used)
			break;
		used += (size_t)n;
	}
}

static const char *const mechanism_words[] = {
	[SECURE_MECHANISM_TLS] = "tls",
	[SECURE_MECHANISM_SSL] = "ssl",
	[SECURE_MECHANISM_IMPLICIT] = "implicit",
};

static const struct {
	unsigned feature;
	const char *name;
} features[] = {
	{ PROBE_PROT, "PROT" }, { PROBE_CCC, "CCC" },	{ PROBE_EPSV, "EPSV" },
	{ PROBE_PASV, "PASV" }, { PROBE_MLSD, "MLSD" }, { PROBE_UTF8, "UTF8" },
};

static const char *const resumption_words[] = {
	[PROBE_RESUMES_NOT] = "no",
	[PROBE_RESUMES] = "yes",
	[PROBE_RESUMES_UNKNOWN] = "unknown",
};

static void print_certificate(const struct probe_names *names, const struct probe_result *result,
			      const struct shown *shown)
{
	const struct identity *identity = &result->identity;

	if (identity->present) {
		(void)printf("certificate   subject %s\n", identity->subject);
		(void)printf("              issuer %s\n", identity->issuer);
		(void)printf("              names %s\n", shown->names[0] != '\0' ? shown->names : "none");
		(void)printf("              until %s (%d days)\n", shown->until, shown->days);
		(void)printf("              sha256 %s\n", result->shown);
	} else if (result->shown[0] != '\0') {
		(void)printf("certificate   sha256 %s\n", result->shown);
	}
	if (names->verified == PROBE_VERIFIED)
		(void)printf("verification  ok for %s, with %s\n", names->hostname,
			     names->trust != NULL ? "the authorities given" : "the system's authorities");
	else if (names->verified != PROBE_UNSEEN)
		(void)printf("verification  failed: %s\n", names->reason);
}

static void print_features(const struct probe_result *result)
{
	if (!result->feat) {
		(void)puts("FEAT          no answer before a login");
		return;
	}
	(void)fputs("FEAT         ", stdout);
	for (size_t i = 0; i < NELEM(features); i++)
		(void)printf(" %s %s%s", features[i].name,
			     (result->features & features[i].feature) != 0 ? "yes" : "no",
			     i + 1 < NELEM(features) ? "," : "\n");
}

/* In the order in which a policy is read. */
static void print_policy(const struct probe_target *target, const struct probe_names *names,
			 const struct probe_result *result)
{
	bool pin = names->verified == PROBE_UNTRUSTED;
	const char *open = strchr(names->host, ':') != NULL ? "[" : "";
	const char *close = open[0] != '\0' ? "]" : "";

	if (pin) {
		(void)puts("\ntls_actions:\n  to-partner:\n    handshake_role: client");
		(void)printf(
		    "    # none of the authorities has signed this certificate: compare its hash with the "
		    "partner's first\n    pins: [%s]\n    secure_hostname: optional\n",
		    result->shown);
	} else {
		(void)printf("\nkeyrings:\n  partners:\n    trust: '%s'\n",
			     names->trust != NULL ? names->trust : "*AUTH*/*");
		(void)puts("tls_actions:\n  to-partner:\n    handshake_role: client\n    keyring: partners");
	}
	(void)printf("backends:\n  partner:\n    address: '%s%s%s:%u'\n    tls: to-partner\n", open,
		     names->host, close, (unsigned)target->server.port);
	if (names->verified == PROBE_WRONG_NAME)
		(void)puts("    # the certificate has another name: ask the partner which one is right\n"
			   "    # hostname: NAME");
	else if (strcmp(names->host, names->hostname) != 0)
		(void)printf("    hostname: '%s'\n", names->hostname);
	if (result->mechanism != SECURE_MECHANISM_TLS)
		(void)printf("    secure_mechanism: %s\n", mechanism_words[result->mechanism]);
	if (result->clear_greeting)
		(void)puts("    secureimplicitzos: true");
	if (result->resumption == PROBE_RESUMES_NOT)
		(void)puts("    secure_session_reuse: none   # the server resumes no sessions");
}

static void print_text(const struct probe_target *target, const struct probe_names *names,
		       const struct probe_result *result, const struct shown *shown)
{
	char where[IP_TEXT_MAX];

	(void)printf("server        %s\n", ip_endpoint_format(&target->server, where));
	if (result->greeting[0] != '\0')
		(void)printf("greeting      %s%s\n", result->greeting,
			     result->clear_greeting ? " (in the clear, before TLS)" : "");
	if (result->auth_code != 0)
		(void)printf("AUTH          %s: %u %s\n",
			     result->mechanism == SECURE_MECHANISM_SSL ? "SSL" : "TLS",
			     (unsigned)result->auth_code, result->auth_text);
	if (result->tls)
		(void)printf("TLS           %s %s%s%s\n", result->version, result->cipher,
			     result->group[0] != '\0' ? " " : "", result->group);
	print_certificate(names, result, shown);
	if (!result->tls) {
		(void)printf("failed        %s\n", result->error);
		return;
	}
	(void)printf("resumption    %s\n", resumption_words[result->resumption]);
	print_features(result);
	print_policy(target, names, result);
}

static json_t *features_to_json(const struct probe_result *result)
{
	json_t *json;

	if (!result->feat)
		return json_null();
	json = json_object();
	for (size_t i = 0; i < NELEM(features); i++)
		(void)json_object_set_new(json, features[i].name,
					  json_boolean((result->features & features[i].feature) != 0));
	return json;
}

static json_t *certificate_to_json(const struct probe_names *names, const struct probe_result *result,
				   const struct shown *shown)
{
	json_t *json;

	if (result->shown[0] == '\0')
		return json_null();
	json = json_pack("{s:s,s:b,s:s}", "sha256", result->shown, "verified",
			 names->verified == PROBE_VERIFIED, "reason", names->reason);
	if (result->identity.present)
		(void)json_object_update_new(json, json_pack("{s:s,s:s,s:s,s:s,s:i}", "subject",
							     result->identity.subject, "issuer",
							     result->identity.issuer, "names", shown->names,
							     "until", shown->until, "days", shown->days));
	return json;
}

static void print_json(const struct probe_target *target, const struct probe_names *names,
		       const struct probe_result *result, const struct shown *shown)
{
	char where[IP_TEXT_MAX];
	json_t *json = json_pack(
	    "{s:s,s:s,s:b,s:i,s:s,s:s,s:b,s:s,s:s,s:s,s:o,s:s,s:o,s:s}", "server",
	    ip_endpoint_format(&target->server, where), "greeting", result->greeting, "clear_greeting",
	    result->clear_greeting, "auth_code", (int)result->auth_code, "auth_text", result->auth_text,
	    "secure_mechanism", mechanism_words[result->mechanism], "tls", result->tls, "version",
	    result->version, "cipher", result->cipher, "group", result->group, "certificate",
	    certificate_to_json(names, result, shown), "resumption", resumption_words[result->resumption],
	    "features", features_to_json(result), "error", result->error);

	(void)json_dumpf(json, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(json);
}

void probe_print(const struct probe_target *target, const struct probe_names *names,
		 const struct probe_result *result, bool json)
{
	struct shown shown;

	look_at_certificate(&result->identity, &shown);
	if (json)
		print_json(target, names, result, &shown);
	else
		print_text(target, names, result, &shown);
}
