/*
 * The tables of the policy language, from the top level down; those of ftp_actions
 * and backends are in schema-ftp.c and schema-backend.c. A new key is a new row here, a member in types.h and
 * an entry in attlsd.yaml(5). A test compares the manual page with the tables.
 */
#include "policy/schema.h"

#include <string.h>

#include "policy/schema-backend.h"
#include "policy/schema-ftp.h"
#include "policy/schema-time.h"
#include "policy/schema-users.h"
#include "policy/schema-table.h"
#include "policy/value.h"

#define PATH_MAX_LEN	    4095
#define UNIX_SOCKET_MAX_LEN 107 /* sun_path of unix(7) */

static const struct word log_levels[] = { { "error", LOG_LEVEL_ERROR, NULL },
					  { "warning", LOG_LEVEL_WARNING, NULL },
					  { "info", LOG_LEVEL_INFO, NULL },
					  { "debug", LOG_LEVEL_DEBUG, NULL },
					  { 0 } };
static const struct word log_formats[] = { { "text", LOG_FORMAT_TEXT, NULL },
					   { "json", LOG_FORMAT_JSON, NULL },
					   { 0 } };
static const struct word auto_workers[] = { { "auto", 0, NULL }, { 0 } };
static const struct word key_isolations[] = { { "auto", KEY_ISOLATION_AUTO, NULL },
					      { "true", KEY_ISOLATION_TRUE, NULL },
					      { "false", KEY_ISOLATION_FALSE, NULL },
					      { 0 } };
/* Those with a value are kept as texts in the place of a path. */
static const struct word audit_kinds[] = { { "none", AUDIT_NONE, NULL },
					   { "syslog", AUDIT_SYSLOG, NULL },
					   { "journal", AUDIT_JOURNAL, NULL },
					   { 0 } };
static const struct word audit_failures[] = { { "continue", AUDIT_FAILURE_CONTINUE, NULL },
					      { "refuse", AUDIT_FAILURE_REFUSE, NULL },
					      { 0 } };
static const struct word no_file[] = { { "none", 0, NULL }, { 0 } };
static const struct word no_socket[] = { { "none", 0, NULL }, { 0 } };

static const struct field log_fields[] = {
	ENUM("level", policy_daemon, log_level, log_levels, "info"),
	ENUM("format", policy_daemon, log_format, log_formats, "text"),
	{ 0 },
};
static const struct field limits_fields[] = {
	UINT("sessions", policy_daemon, limit_sessions, 1, 1000000, "10000"),
	UINT("sessions_per_source", policy_daemon, limit_sessions_per_source, 1, 1000000, "200"),
	UINT("unauthenticated_per_source", policy_daemon, limit_unauthenticated_per_source, 1, 1000000, "20"),
	{ 0 },
};
static const struct schema log_schema = { .fields = log_fields };
static const struct schema limits_schema = { .fields = limits_fields };

static const struct word no_memory[] = { { "0", 0, NULL }, { 0 } };

static const struct field daemon_fields[] = {
	{ .key = "node", .type = FIELD_NAME, PTR(policy_daemon, node), .max = POLICY_NODE_MAX },
	{ .key = "user",
	  .type = FIELD_NAME,
	  .max = VALUE_NAME_MAX,
	  PTR(policy_daemon, user),
	  MARK(policy_daemon, user_mark),
	  .default_text = "attlsd" },
	{ .key = "workers",
	  .type = FIELD_UINT,
	  AT(policy_daemon, workers),
	  .words = auto_workers,
	  .min = 1,
	  .max = 256,
	  .default_text = "auto" },
	{ .key = "control_socket",
	  .type = FIELD_PATH,
	  PTR(policy_daemon, control_socket),
	  MARK(policy_daemon, control_socket_mark),
	  .words = no_socket,
	  .min = 1,
	  .max = UNIX_SOCKET_MAX_LEN,
	  .default_text = "/run/attlsd/control.sock" },
	{ .key = "control_group",
	  .type = FIELD_NAME,
	  .max = VALUE_NAME_MAX,
	  PTR(policy_daemon, control_group),
	  MARK(policy_daemon, control_group_mark) },
	{ .key = "trace_memory",
	  .type = FIELD_UINT,
	  AT(policy_daemon, trace_memory),
	  .words = no_memory,
	  .min = 65536,
	  .max = 16777216,
	  .default_text = "1048576" },
	{ .key = "fips140",
	  .type = FIELD_BOOL,
	  AT(policy_daemon, fips140),
	  MARK(policy_daemon, fips140_mark),
	  .default_text = "false" },
	ENUM("key_isolation", policy_daemon, key_isolation, key_isolations, "auto"),
	{ .key = "keytab",
	  .type = FIELD_PATH,
	  PTR(policy_daemon, keytab),
	  MARK(policy_daemon, keytab_mark),
	  .words = no_file,
	  .min = 1,
	  .max = PATH_MAX_LEN,
	  .default_text = "none" },
	{ .key = "http",
	  .type = FIELD_HTTP,
	  PTR(policy_daemon, http),
	  MARK(policy_daemon, http.mark),
	  .words = no_socket,
	  .max = UNIX_SOCKET_MAX_LEN,
	  .default_text = "none" },
	{ .key = "http_token_file",
	  .type = FIELD_PATH,
	  PTR(policy_daemon, http.token_file),
	  MARK(policy_daemon, http.token_file_mark),
	  .min = 1,
	  .max = PATH_MAX_LEN },
	REF("http_keyring", policy_daemon, http.keyring, "keyrings", false),
	{ .key = "http_hosts",
	  .type = FIELD_HOSTS,
	  PTR(policy_daemon, http.hosts),
	  COUNT(policy_daemon, http.nhosts) },
	{ .key = "agent",
	  .type = FIELD_ENDPOINT,
	  PTR(policy_daemon, agent.endpoint),
	  MARK(policy_daemon, agent.mark),
	  .words = no_socket,
	  .default_text = "none" },
	{ .key = "log", .type = FIELD_GROUP, .sub = &log_schema },
	{ .key = "audit",
	  .type = FIELD_PATH,
	  PTR(policy_daemon, audit),
	  MARK(policy_daemon, audit_mark),
	  .words = audit_kinds,
	  .min = 1,
	  .max = PATH_MAX_LEN,
	  .default_text = "none" },
	ENUM("audit_failure", policy_daemon, audit_failure, audit_failures, "continue"),
	{ .key = "xferlog",
	  .type = FIELD_PATH,
	  PTR(policy_daemon, xferlog),
	  MARK(policy_daemon, xferlog_mark),
	  .words = no_file,
	  .min = 1,
	  .max = PATH_MAX_LEN,
	  .default_text = "none" },
	{ .key = "limits", .type = FIELD_GROUP, .sub = &limits_schema },
	{ 0 },
};
static const struct schema daemon_schema = { .fields = daemon_fields };

static const struct field certificate_fields[] = {
	{ .key = "chain", /* this and the key are needed, except with pkcs12: rule-keyring.c */
	  .type = FIELD_PATH,
	  PTR(policy_certificate, chain),
	  MARK(policy_certificate, chain_mark),
	  .min = 1,
	  .max = PATH_MAX_LEN },
	{ .key = "key",
	  .type = FIELD_KEY,
	  PTR(policy_certificate, key),
	  MARK(policy_certificate, key_mark),
	  .min = 1,
	  .max = PATH_MAX_LEN },
	{ .key = "password_file",
	  .type = FIELD_PATH,
	  PTR(policy_certificate, password_file),
	  MARK(policy_certificate, password_file_mark),
	  .min = 1,
	  .max = PATH_MAX_LEN },
	{ .key = "label", .type = FIELD_STRING, PTR(policy_certificate, label), .min = 1, .max = 127 },
	{ .key = "ocsp",
	  .type = FIELD_PATH,
	  PTR(policy_certificate, ocsp),
	  MARK(policy_certificate, ocsp_mark),
	  .min = 1,
	  .max = PATH_MAX_LEN },
	{ 0 },
};
static const struct schema certificate_schema = { .fields = certificate_fields,
						  .size = sizeof(struct policy_certificate),
						  .mark_offset = offsetof(struct policy_certificate, mark) };

/* z/OS has nothing like it: there, a key ring trusts all authorities that it has. */
static const struct word trust_words[] = { { "pkcs12", 1, NULL }, { 0 } };

static const struct field keyring_fields[] = {
	{ .key = "pkcs12",
	  .type = FIELD_PATH,
	  PTR(policy_keyring, pkcs12),
	  MARK(policy_keyring, pkcs12_mark),
	  .min = 1,
	  .max = PATH_MAX_LEN },
	{ .key = "password_file",
	  .type = FIELD_PATH,
	  PTR(policy_keyring, password_file),
	  MARK(policy_keyring, password_file_mark),
	  .min = 1,
	  .max = PATH_MAX_LEN },
	{ .key = "certificates",
	  .type = FIELD_LIST,
	  PTR(policy_keyring, certificates),
	  COUNT(policy_keyring, ncertificates),
	  .sub = &certificate_schema },
	{ .key = "trust",
	  .type = FIELD_TRUST,
	  PTR(policy_keyring, trust),
	  FLAG(policy_keyring, trust_system),
	  MARK(policy_keyring, trust_mark),
	  .words = trust_words,
	  .min = 1,
	  .max = PATH_MAX_LEN },
	{ .key = "crl",
	  .type = FIELD_PATH,
	  PTR(policy_keyring, crl),
	  MARK(policy_keyring, crl_mark),
	  .min = 1,
	  .max = PATH_MAX_LEN },
	UINT("max_client_chain", policy_keyring, max_client_chain, 1024, 102400, "16384"),
	{ 0 },
};
static const struct schema keyring_schema = { .fields = keyring_fields,
					      .size = sizeof(struct policy_keyring),
					      .name_offset = offsetof(struct policy_keyring, name),
					      .mark_offset = offsetof(struct policy_keyring, mark) };

#define OLD_TLS(rfc) "it is insecure (RFC " #rfc "); remove it"
static const struct word roles[] = { { "server", ROLE_SERVER, NULL },
				     { "server_with_client_auth", ROLE_SERVER_WITH_CLIENT_AUTH, NULL },
				     { "client", ROLE_CLIENT, NULL },
				     { 0 } };
static const struct word client_auth_types[] = { { "passthru", CLIENT_AUTH_PASSTHRU, NULL },
						 { "full", CLIENT_AUTH_FULL, NULL },
						 { "required", CLIENT_AUTH_REQUIRED, NULL },
						 { "safcheck", CLIENT_AUTH_SAFCHECK, NULL },
						 { 0 } };
static const struct word secure_hostnames[] = { { "required", SECURE_HOSTNAME_REQUIRED, NULL },
						{ "optional", SECURE_HOSTNAME_OPTIONAL, NULL },
						{ 0 } };
static const struct word handshake_snis[] = { { "off", HANDSHAKE_SNI_OFF, NULL },
					      { "optional", HANDSHAKE_SNI_OPTIONAL, NULL },
					      { "required", HANDSHAKE_SNI_REQUIRED, NULL },
					      { 0 } };
static const struct word versions[] = { { "tls1.2", POLICY_TLS1_2, NULL },
					{ "tls1.3", POLICY_TLS1_3, NULL },
					{ "sslv2", 0, OLD_TLS(6176) },
					{ "sslv3", 0, OLD_TLS(7568) },
					{ "tls1.0", 0, OLD_TLS(8996) },
					{ "tls1.1", 0, OLD_TLS(8996) },
					{ 0 } };

/* The words of z/OS. A profile with more bits than the least one is in both. */
static const struct word suite_b_profiles[] = { { "off", SUITE_B_OFF, NULL },
						{ "128", SUITE_B_128, NULL },
						{ "128min", SUITE_B_128MIN, NULL },
						{ "192", SUITE_B_192, NULL },
						{ "192min", SUITE_B_192, NULL },
						{ "all", SUITE_B_128MIN, NULL },
						{ 0 } };

static const struct field tls_fields[] = {
	ENUM("handshake_role", tls_action, role, roles, "server"),
	ENUM("client_auth_type", tls_action, client_auth_type, client_auth_types, "required"),
	ENUM("server_handshake_sni", tls_action, server_handshake_sni, handshake_snis, "off"),
	REF("keyring", tls_action, keyring, "keyrings", false),
	ENUM("secure_hostname", tls_action, secure_hostname, secure_hostnames, "required"),
	{ .key = "pins", .type = FIELD_PINS, PTR(tls_action, pins), COUNT(tls_action, npins) },
	{ .key = "versions",
	  .type = FIELD_SET,
	  AT(tls_action, versions),
	  .words = versions,
	  .min = 1,
	  .default_text = "tls1.2 tls1.3" },
	{ .key = "ciphersuites",
	  .type = FIELD_SUITES,
	  PTR(tls_action, ciphersuites),
	  MARK(tls_action, ciphersuites_mark) },
	{ .key = "ciphers",
	  .type = FIELD_CIPHERS,
	  PTR(tls_action, ciphers),
	  FLAG(tls_action, null_ciphers),
	  MARK(tls_action, ciphers_mark) },
	{ .key = "groups", .type = FIELD_GROUPS, PTR(tls_action, groups), MARK(tls_action, groups_mark) },
	{ .key = "signature_algorithms",
	  .type = FIELD_SIGNATURES,
	  PTR(tls_action, signature_algorithms),
	  MARK(tls_action, signature_algorithms_mark) },
	ENUM("suite_b_profile", tls_action, suite_b_profile, suite_b_profiles, "off"),
	UINT("peer_min_rsa_key_size", tls_action, peer_min_rsa_key_size, 0, 8192, "0"),
	UINT("peer_min_ecc_key_size", tls_action, peer_min_ecc_key_size, 0, 521, "0"),
	DURATION("handshake_timeout", tls_action, handshake_timeout_ms, 1000, 600000, "10s"),
	{ .key = "session_timeout",
	  .type = FIELD_DURATION,
	  AT(tls_action, session_timeout_s),
	  SECONDS,
	  .min = 0,
	  .max = SCHEMA_DAY_S,
	  .default_text = "1h" },
	{ .key = "session_ticket_rotation",
	  .type = FIELD_DURATION,
	  AT(tls_action, session_ticket_rotation_s),
	  SECONDS,
	  .min = 1,
	  .max = SCHEMA_DAY_S,
	  .default_text = "1h" },
	{ .key = "session_ticket_keys",
	  .type = FIELD_PATH,
	  PTR(tls_action, session_ticket_keys),
	  MARK(tls_action, session_ticket_keys_mark),
	  .min = 1,
	  .max = PATH_MAX_LEN },
	BOOL("ktls", tls_action, ktls, "false"),
	{ 0 },
};
static const struct schema tls_schema = { .fields = tls_fields,
					  .size = sizeof(struct tls_action),
					  .name_offset = offsetof(struct tls_action, name),
					  .mark_offset = offsetof(struct tls_action, mark),
					  .index_offset = offsetof(struct tls_action, index) };

static const struct word listener_tls[] = { { "explicit", LISTENER_EXPLICIT, NULL },
					    { "implicit", LISTENER_IMPLICIT, NULL },
					    { "auto", LISTENER_AUTO, NULL },
					    { "none", LISTENER_NONE, NULL },
					    { 0 } };

static const struct field listener_fields[] = {
	{ .key = "address",
	  .type = FIELD_ENDPOINT,
	  PTR(policy_listener, endpoint),
	  MARK(policy_listener, address_mark),
	  .required = true },
	ENUM("tls", policy_listener, tls, listener_tls, "explicit"),
	BOOL("transparent", policy_listener, transparent, "false"),
	{ .key = "proxy_protocol",
	  .type = FIELD_NETS,
	  PTR(policy_listener, proxies),
	  COUNT(policy_listener, nproxies) },
	BOOL("proxy_data", policy_listener, proxy_data, "false"),
	{ 0 },
};
static const struct schema listener_schema = { .fields = listener_fields,
					       .size = sizeof(struct policy_listener),
					       .name_offset = offsetof(struct policy_listener, name),
					       .mark_offset = offsetof(struct policy_listener, mark),
					       .index_offset = offsetof(struct policy_listener, index) };

static const struct word conntracks[] = { { "off", NAT_CONNTRACK_OFF, NULL },
					  { "expect", NAT_CONNTRACK_EXPECT, NULL },
					  { "set", NAT_CONNTRACK_SET, NULL },
					  { 0 } };

static const struct field advertise_fields[] = {
	/* the type fills interface, host or one of the addresses */
	{ .key = "address",
	  .type = FIELD_ADVERTISE,
	  PTR(policy_advertise, host),
	  MARK(policy_advertise, address_mark),
	  .required = true },
	{ .key = "to", .type = FIELD_NETS, PTR(policy_advertise, to), COUNT(policy_advertise, nto) },
	BOOL("map_ports", policy_advertise, map_ports, "true"),
	{ 0 },
};
static const struct schema advertise_schema = { .fields = advertise_fields,
						.size = sizeof(struct policy_advertise) };

static const struct field nat_fields[] = {
	{ .key = "advertise",
	  .type = FIELD_LIST,
	  PTR(policy_nat, advertise),
	  COUNT(policy_nat, nadvertise),
	  .sub = &advertise_schema,
	  .scalar_key = "address" },
	{ .key = "advertise_ports",
	  .type = FIELD_PORT_RANGE,
	  PTR(policy_nat, advertise_ports),
	  .min = 1,
	  .max = 65535 },
	ENUM("conntrack", policy_nat, conntrack, conntracks, "off"),
	{ .key = "nft_set",
	  .type = FIELD_STRING,
	  PTR(policy_nat, nft_set),
	  .min = 5,
	  .max = 96,
	  .default_text = "inet attlsd data" },
	{ 0 },
};
static const struct schema nat_schema = { .fields = nat_fields };

static const struct field match_fields[] = {
	{ .key = "listener",
	  .type = FIELD_REFS,
	  PTR(policy_rule, listeners),
	  COUNT(policy_rule, nlisteners),
	  .section = "listeners" },
	{ .key = "remote_addr",
	  .type = FIELD_NETS,
	  PTR(policy_rule, remote_addrs),
	  COUNT(policy_rule, nremote_addrs) },
	{ .key = "local_addr",
	  .type = FIELD_NETS,
	  PTR(policy_rule, local_addrs),
	  COUNT(policy_rule, nlocal_addrs) },
	{ .key = "destination",
	  .type = FIELD_HOSTS,
	  PTR(policy_rule, destinations),
	  COUNT(policy_rule, ndestinations) },
	LIST_OR_ONE("time", policy_rule, times, ntimes, schema_time),
	{ 0 },
};
static const struct schema match_schema = { .fields = match_fields };

static const struct word directions[] = { { "inbound", DIRECTION_INBOUND, NULL },
					  { "outbound", DIRECTION_OUTBOUND, NULL },
					  { "both", DIRECTION_BOTH, NULL },
					  { 0 } };

static const struct word actions[] = { { "enforce", RULE_ENFORCE, NULL },
				       { "audit", RULE_AUDIT, NULL },
				       { 0 } };

static const struct field rule_fields[] = {
	UINT("priority", policy_rule, priority, 1, 2000000000, "1"),
	{ .key = "match", .type = FIELD_GROUP, .sub = &match_schema },
	ENUM("direction", policy_rule, direction, directions, "both"),
	REF("tls", policy_rule, tls, "tls_actions", false),
	REF("ftp", policy_rule, ftp, "ftp_actions", true),
	ENUM("action", policy_rule, action, actions, "enforce"),
	REF("backend", policy_rule, backend, "backends", true),
	{ 0 },
};
static const struct schema rule_schema = { .fields = rule_fields,
					   .size = sizeof(struct policy_rule),
					   .name_offset = offsetof(struct policy_rule, name),
					   .mark_offset = offsetof(struct policy_rule, mark) };

/* Sections are read in this order: each comes before those that refer to it. */
static const struct field root_fields[] = {
	{ .key = "version", .type = FIELD_UINT, .min = 1, .max = 1, .required = true },
	OBJECTS(keyrings, keyring_schema, false),
	{ .key = "daemon", .type = FIELD_GROUP, PTR(policy, daemon), .sub = &daemon_schema },
	OBJECTS(tls_actions, tls_schema, true),
	OBJECTS(ftp_actions, schema_ftp_action, true),
	OBJECTS(backends, schema_backend, true),
	OBJECTS(listeners, listener_schema, true),
	{ .key = "nat", .type = FIELD_GROUP, PTR(policy, nat), .sub = &nat_schema },
	OBJECTS(rules, rule_schema, true),
	OBJECTS(users, schema_user, false),
	{ 0 },
};
static const struct schema root_schema = { .fields = root_fields, .size = sizeof(struct policy) };

const struct schema *schema_root(void)
{
	return &root_schema;
}

const struct field *schema_find(const struct schema *schema, const char *key)
{
	for (const struct field *f = schema->fields; f->key != NULL; f++)
		if (strcmp(f->key, key) == 0)
			return f;
	return NULL;
}
