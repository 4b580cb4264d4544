/*
 * The table of backends: how the gateway reaches each FTP server and what that server
 * needs.
 */
#include "policy/schema-backend.h"

#include "policy/schema-ftp.h"
#include "policy/schema-table.h"

static const struct word sources[] = { { "gateway", BACKEND_SOURCE_GATEWAY, NULL },
				       { "client", BACKEND_SOURCE_CLIENT, NULL },
				       { 0 } };
static const struct word data_modes[] = { { "auto", BACKEND_DATA_AUTO, NULL },
					  { "passive", BACKEND_DATA_PASSIVE, NULL },
					  { "active", BACKEND_DATA_ACTIVE, NULL },
					  { 0 } };
static const struct word epsv_modes[] = { { "auto", BACKEND_EPSV_AUTO, NULL },
					  { "always", BACKEND_EPSV_ALWAYS, NULL },
					  { "never", BACKEND_EPSV_NEVER, NULL },
					  { 0 } };

static const struct word multilines[] = { { "strict", BACKEND_MULTILINE_STRICT, NULL },
					  { "lenient", BACKEND_MULTILINE_LENIENT, NULL },
					  { 0 } };

static const struct word strays[] = { { "drop", BACKEND_STRAY_DROP, NULL },
				      { "close", BACKEND_STRAY_CLOSE, NULL },
				      { 0 } };

static const struct word aborts[] = { { "auto", BACKEND_ABORT_AUTO, NULL },
				      { "urgent", BACKEND_ABORT_URGENT, NULL },
				      { "plain", BACKEND_ABORT_PLAIN, NULL },
				      { 0 } };

static const struct word proxies[] = { { "none", BACKEND_PROXY_NONE, NULL },
				       { "v1", BACKEND_PROXY_V1, NULL },
				       { "v2", BACKEND_PROXY_V2, NULL },
				       { 0 } };

static const struct word mechanisms[] = { { "tls", SECURE_MECHANISM_TLS, NULL },
					  { "ssl", SECURE_MECHANISM_SSL, NULL },
					  { "implicit", SECURE_MECHANISM_IMPLICIT, NULL },
					  { "gssapi", 0, "this gateway does not support Kerberos; use tls" },
					  { 0 } };
static const struct word reuses[] = { { "none", SESSION_REUSE_NONE, NULL },
				      { "allowed", SESSION_REUSE_ALLOWED, NULL },
				      { "required", SESSION_REUSE_REQUIRED, NULL },
				      { 0 } };
static const struct word cccs[] = { { "never", SERVER_CCC_NEVER, NULL },
				    { "after_login", SERVER_CCC_AFTER_LOGIN, NULL },
				    { 0 } };

static const struct word balances[] = { { "first", BALANCE_FIRST, NULL },
					{ "round_robin", BALANCE_ROUND_ROBIN, NULL },
					{ "least_sessions", BALANCE_LEAST_SESSIONS, NULL },
					{ "source", BALANCE_SOURCE, NULL },
					{ 0 } };

static const struct word checks[] = {
	{ "none", HEALTH_CHECK_NONE, NULL },	     { "connect", HEALTH_CHECK_CONNECT, NULL },
	{ "greeting", HEALTH_CHECK_GREETING, NULL }, { "auth", HEALTH_CHECK_AUTH, NULL },
	{ "login", HEALTH_CHECK_LOGIN, NULL },	     { 0 }
};

/* An entry of `addresses`, which a single value may stand for. */
static const struct field server_fields[] = {
	{ .key = "address", .type = FIELD_SERVER, PTR(policy_server, text), .required = true },
	{ 0 },
};
static const struct schema schema_server = { .fields = server_fields, .size = sizeof(struct policy_server) };

static const struct field health_fields[] = {
	DURATION("interval", policy_backend, health.interval_ms, 1000, 3600000, "30s"),
	UINT("fall", policy_backend, health.fall, 1, 10, "3"),
	UINT("rise", policy_backend, health.rise, 1, 10, "2"),
	ENUM("check", policy_backend, health.check, checks, "none"),
	DURATION("timeout", policy_backend, health.timeout_ms, 1000, 600000, "10s"),
	{ .key = "user", .type = FIELD_STRING, PTR(policy_backend, health.user), .min = 1, .max = 100 },
	{ .key = "password_file",
	  .type = FIELD_PATH,
	  PTR(policy_backend, health.password_file),
	  MARK(policy_backend, health.password_file_mark),
	  .min = 1,
	  .max = 4095 },
	{ 0 },
};
static const struct schema schema_health = { .fields = health_fields };

static const struct field backend_fields[] = {
	/* the type fills `servers`, too; `original` is the member that checks read */
	{ .key = "address",
	  .type = FIELD_BACKEND,
	  AT(policy_backend, original),
	  .required = true,
	  .instead = "addresses" },
	{ .key = "addresses",
	  .type = FIELD_LIST,
	  PTR(policy_backend, servers),
	  COUNT(policy_backend, nservers),
	  .scalar_key = "address",
	  .sub = &schema_server },
	ENUM("balance", policy_backend, balance, balances, "first"),
	{ .key = "health", .type = FIELD_GROUP, .sub = &schema_health },
	REF("tls", policy_backend, tls, "tls_actions", false),
	{ .key = "hostname", .type = FIELD_HOST, PTR(policy_backend, hostname) },
	{ .key = "hosts", .type = FIELD_HOSTS, PTR(policy_backend, hosts), COUNT(policy_backend, nhosts) },
	ENUM("secure_mechanism", policy_backend, security.mechanism, mechanisms, "tls"),
	BOOL("secureimplicitzos", policy_backend, security.secureimplicitzos, "false"),
	ENUM("secure_ctrlconn", policy_backend, security.ctrlconn, schema_ftp_ctrl_levels, "private"),
	ENUM("secure_dataconn", policy_backend, security.dataconn, schema_ftp_data_levels, "private"),
	ENUM("secure_session_reuse", policy_backend, security.session_reuse, reuses, "allowed"),
	ENUM("ccc", policy_backend, security.ccc, cccs, "never"),
	ENUM("tlsrfclevel", policy_backend, security.tlsrfclevel, schema_ftp_rfc_levels, "rfc4217"),
	/* the type also fills source_v4, source_v6 and source_interface */
	{ .key = "source",
	  .type = FIELD_SOURCE,
	  AT(policy_backend, source),
	  MARK(policy_backend, source_mark),
	  .words = sources,
	  .default_text = "gateway" },
	ENUM("data", policy_backend, data, data_modes, "auto"),
	ENUM("epsv", policy_backend, epsv, epsv_modes, "auto"),
	ENUM("multiline", policy_backend, multiline, multilines, "strict"),
	ENUM("abort", policy_backend, abort, aborts, "auto"),
	ENUM("stray_replies", policy_backend, stray_replies, strays, "drop"),
	{ .key = "connect_timeout",
	  .type = FIELD_DURATION,
	  AT(policy_backend, connect_timeout_ms),
	  .unit_ms = 1,
	  .bare_unit_ms = 1000,
	  .min = 1000,
	  .max = 600000,
	  .zero_ok = true,
	  .default_text = "0s" },
	DURATION("server_greeting_timeout", policy_backend, greeting_timeout_ms, 1000, 600000, "60s"),
	BOOL("greet_first", policy_backend, greet_first, "false"),
	{ .key = "server_map",
	  .type = FIELD_PATH,
	  PTR(policy_backend, server_map),
	  MARK(policy_backend, server_map_mark),
	  .min = 1,
	  .max = 4095 },
	BOOL("low_ports", policy_backend, low_ports, "false"),
	ENUM("proxy_protocol", policy_backend, proxy, proxies, "none"),
	BOOL("proxy_data", policy_backend, proxy_data, "false"),
	DURATION("side_reply_timeout", policy_backend, side_reply_ms, 100, 600000, "2s"),
	/* at least the gateway's own longest command, PASS with a stored password of 128 bytes */
	UINT("command_line_max", policy_backend, command_line_max, 133, 4096, "510"),
	{ 0 },
};
const struct schema schema_backend = { .fields = backend_fields,
				       .size = sizeof(struct policy_backend),
				       .name_offset = offsetof(struct policy_backend, name),
				       .mark_offset = offsetof(struct policy_backend, mark),
				       .index_offset = offsetof(struct policy_backend, index) };
