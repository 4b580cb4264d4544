/*
 * The table of ftp_actions: the statements of FTP.DATA, in lower case, and the keys
 * that attlsd adds.
 */
#include "policy/schema-ftp.h"

#include "policy/schema-table.h"

#define BY_BACKEND "the FTP server decides this; remove it"
#ifdef HAVE_GSSAPI
#define NO_GSSAPI NULL
#else
#define NO_GSSAPI                                                                                            \
	"this attlsd was built without GSSAPI; build it where libkrb5-dev is installed, or remove it"
#endif
static const struct word extensions[] = { { "auth_tls", EXTENSION_AUTH_TLS, NULL },
					  { "auth_gssapi", EXTENSION_AUTH_GSSAPI, NO_GSSAPI },
					  { "mdtm", 0, BY_BACKEND },
					  { "rest_stream", 0, BY_BACKEND },
					  { "size", 0, BY_BACKEND },
					  { "utf8", 0, BY_BACKEND },
					  { 0 } };
static const struct word tlsmechanisms[] = {
	{ "attls", 0, NULL }, { "ftp", 0, "this gateway does TLS for the FTP server; use attls" }, { 0 }
};
static const struct word secure_ftps[] = { { "allowed", SECURE_FTP_ALLOWED, NULL },
					   { "required", SECURE_FTP_REQUIRED, NULL },
					   { 0 } };
static const struct word secure_logins[] = { { "no_client_auth", SECURE_LOGIN_NO_CLIENT_AUTH, NULL },
					     { "required", SECURE_LOGIN_REQUIRED, NULL },
					     { "verify_user", SECURE_LOGIN_VERIFY_USER, NULL },
					     { 0 } };
static const struct word secure_passwords[] = { { "required", SECURE_PASSWORD_REQUIRED, NULL },
						{ "optional", SECURE_PASSWORD_OPTIONAL, NULL },
						{ 0 } };
const struct word schema_ftp_ctrl_levels[] = { { "clear", SECURE_CLEAR, NULL },
					       { "safe", SECURE_SAFE, NULL },
					       { "private", SECURE_PRIVATE, NULL },
					       { 0 } };
const struct word schema_ftp_data_levels[] = { { "never", SECURE_NEVER, NULL },
					       { "clear", SECURE_CLEAR, NULL },
					       { "safe", SECURE_SAFE, NULL },
					       { "private", SECURE_PRIVATE, NULL },
					       { 0 } };
static const struct word scopes[] = { { "all", DATA_POLICY_ALL, NULL },
				      { "protected", DATA_POLICY_PROTECTED, NULL },
				      { 0 } };
static const struct word reuses[] = { { "none", SESSION_REUSE_NONE, NULL },
				      { "allowed", SESSION_REUSE_ALLOWED, NULL },
				      { "required", SESSION_REUSE_REQUIRED, NULL },
				      { "required_user", SESSION_REUSE_REQUIRED_USER, NULL },
				      { 0 } };
const struct word schema_ftp_rfc_levels[] = { { "draft", TLSRFCLEVEL_DRAFT, NULL },
					      { "rfc4217", TLSRFCLEVEL_RFC4217, NULL },
					      { "cccnonotify", TLSRFCLEVEL_CCCNONOTIFY, NULL },
					      { 0 } };
static const struct word redirects[] = { { "noredirect", NOREDIRECT, NULL },
					 { "unrestricted", REDIRECT_UNRESTRICTED, NULL },
					 { 0 } };
static const struct word passivedatashares[] = { { "none", PASSIVEDATASHARE_NONE, NULL },
						 { "source", PASSIVEDATASHARE_SOURCE, NULL },
						 { 0 } };
static const struct word portcommands[] = { { "accept", PORTCOMMAND_ACCEPT, NULL },
					    { "reject", PORTCOMMAND_REJECT, NULL },
					    { 0 } };
static const struct word portcommandports[] = { { "nolowports", NOLOWPORTS, NULL },
						{ "unrestricted", LOWPORTS_UNRESTRICTED, NULL },
						{ 0 } };
static const struct word data_ports[] = { { "any", DATA_PORT_ANY, NULL },
					  { "lower", DATA_PORT_LOWER, NULL },
					  { 0 } };
static const struct word ftploggings[] = { { "truenodns", FTPLOGGING_TRUENODNS, NULL },
					   { "true", FTPLOGGING_TRUE, NULL },
					   { "false", FTPLOGGING_FALSE, NULL },
					   { 0 } };
static const struct word banners[] = { { "server", 0, NULL }, { "none", 1, NULL }, { 0 } };
static const struct word ccc_primes[] = { { "auto", true, NULL }, { "off", false, NULL }, { 0 } };
static const struct word unknowns[] = { { "pass", UNKNOWN_COMMANDS_PASS, NULL },
					{ "refuse", UNKNOWN_COMMANDS_REFUSE, NULL },
					{ 0 } };
static const struct word reply_styles[] = { { "rfc", REPLY_STYLE_RFC, NULL },
					    { "zos", REPLY_STYLE_ZOS, NULL },
					    { 0 } };

static const struct word stricter_data_levels[] = { { "clear", SECURE_CLEAR, NULL },
						    { "safe", SECURE_SAFE, NULL },
						    { "private", SECURE_PRIVATE, NULL },
						    { 0 } };

/* Without a default: what is not given is as in the action. */
#define LEVEL(name, word_list)                                                                               \
	{                                                                                                    \
		.key = #name, .type = FIELD_ENUM, AT(ftp_per_user, name), .words = word_list                 \
	}
static const struct field per_user_fields[] = {
	{ .key = "users", .type = FIELD_PATTERNS, PTR(ftp_per_user, users), .required = true },
	LEVEL(secure_ftp, secure_ftps),
	LEVEL(secure_login, secure_logins),
	LEVEL(secure_ctrlconn, schema_ftp_ctrl_levels),
	LEVEL(secure_dataconn, stricter_data_levels),
	{ 0 },
};
static const struct schema per_user_schema = { .fields = per_user_fields,
					       .size = sizeof(struct ftp_per_user) };

#define FTP_ENUM(name, word_list, text) ENUM(#name, ftp_action, name, word_list, text)
#define FTP_BOOL(name, text)		BOOL(#name, ftp_action, name, text)
#define FTP_KEEPALIVE(name, member)                                                                          \
	{                                                                                                    \
		.key = name, .type = FIELD_DURATION, AT(ftp_action, member), SECONDS, .zero_ok = true,       \
		.min = 60, .max = SCHEMA_DAY_S, .default_text = "120s"                                       \
	}

#define FTP_SECONDS(name, member, most, text)                                                                \
	{                                                                                                    \
		.key = name, .type = FIELD_DURATION, AT(ftp_action, member), SECONDS, .min = 1, .max = most, \
		.default_text = text                                                                         \
	}

static const struct field access_fields[] = {
	{ .key = "path", .type = FIELD_ACCESS, .max = 255, .required = true },
	{ .key = "users", .type = FIELD_WHO, PTR(ftp_access, users), .max = 128 },
	{ .key = "certificates", .type = FIELD_WHO, PTR(ftp_access, certificates), .max = 32 },
	{ .key = "principals", .type = FIELD_WHO, PTR(ftp_access, principals), .max = 32 },
	{ .key = "verbs", .type = FIELD_COMMANDS, PTR(ftp_access, verbs) },
	{ 0 },
};
static const struct schema access_schema = { .fields = access_fields, .size = sizeof(struct ftp_access) };

static const struct field ftp_fields[] = {
	{ .key = "extensions",
	  .type = FIELD_SET,
	  AT(ftp_action, extensions),
	  .words = extensions,
	  .default_text = "auth_tls" },
	{ .key = "tlsmechanism", .type = FIELD_ENUM, .words = tlsmechanisms, .default_text = "attls" },
	FTP_ENUM(secure_ftp, secure_ftps, "required"),
	FTP_ENUM(secure_login, secure_logins, "no_client_auth"),
	FTP_ENUM(secure_password, secure_passwords, "required"),
	FTP_ENUM(secure_password_kerberos, secure_passwords, "required"),
	FTP_ENUM(secure_ctrlconn, schema_ftp_ctrl_levels, "private"),
	FTP_ENUM(secure_dataconn, schema_ftp_data_levels, "private"),
	UINT("secure_pbsz", ftp_action, secure_pbsz, 512, 32768, "16384"),
	FTP_ENUM(data_policy_scope, scopes, "all"),
	{ .key = "per_user",
	  .type = FIELD_LIST,
	  PTR(ftp_action, per_user),
	  COUNT(ftp_action, nper_user),
	  .sub = &per_user_schema },
	FTP_ENUM(secure_session_reuse, reuses, "allowed"),
	FTP_ENUM(tlsrfclevel, schema_ftp_rfc_levels, "rfc4217"),
	FTP_ENUM(ccc_prime, ccc_primes, "auto"),
	FTP_BOOL(secureimplicitzos, "false"),
	{ .key = "passivedataports",
	  .type = FIELD_PORT_RANGE,
	  PTR(ftp_action, passivedataports),
	  .min = 1024,
	  .max = 65535 },
	FTP_ENUM(passivedataconn, redirects, "noredirect"),
	FTP_ENUM(passivedatashare, passivedatashares, "none"),
	FTP_ENUM(portcommand, portcommands, "accept"),
	FTP_ENUM(portcommandipaddr, redirects, "noredirect"),
	FTP_ENUM(portcommandport, portcommandports, "nolowports"),
	FTP_ENUM(data_port, data_ports, "any"),
	UINT("replysecuritylevel", ftp_action, replysecuritylevel, 0, 1, "0"),
	{ .key = "banner",
	  .type = FIELD_PATH,
	  PTR(ftp_action, banner),
	  .words = banners,
	  .min = 1,
	  .max = 4095,
	  .default_text = "server" },
	{ .key = "adminemailaddress",
	  .type = FIELD_STRING,
	  PTR(ftp_action, adminemailaddress),
	  .min = 1,
	  .max = 64 },
	FTP_BOOL(accesserrormsgs, "false"),
	FTP_BOOL(verifyuser, "false"),
	{ .key = "login_check",
	  .type = FIELD_PATH,
	  PTR(ftp_action, login_check),
	  .min = 1,
	  .max = 107 }, /* as sun_path has room for */
	FTP_ENUM(ftplogging, ftploggings, "truenodns"),
	{ .key = "progress",
	  .type = FIELD_DURATION,
	  AT(ftp_action, progress_s),
	  SECONDS,
	  .zero_ok = true,
	  .min = 1,
	  .max = SCHEMA_DAY_S,
	  .default_text = "0" },
	FTP_BOOL(session_summary, "false"),
	FTP_KEEPALIVE("ftpkeepalive", ftpkeepalive_s),
	FTP_KEEPALIVE("datakeepalive", datakeepalive_s),
	{ .key = "inactive",
	  .type = FIELD_DURATION,
	  AT(ftp_action, inactive_s),
	  SECONDS,
	  .min = 0,
	  .max = SCHEMA_DAY_S,
	  .default_text = "300s" },
	FTP_SECONDS("inacttime", inacttime_s, SCHEMA_DAY_S, "1800s"),
	FTP_SECONDS("dconntime", dconntime_s, SCHEMA_DAY_S, "120s"),
	FTP_SECONDS("datacttime", datacttime_s, SCHEMA_DAY_S, "1800s"),
	FTP_SECONDS("cconntime", cconntime_s, 300, "2s"),
	FTP_SECONDS("myopentime", myopentime_s, SCHEMA_DAY_S, "60s"),
	FTP_SECONDS("datatimeout", datatimeout_s, SCHEMA_DAY_S, "60s"),
	{ .key = "dswaittime",
	  .type = FIELD_DURATION,
	  AT(ftp_action, dswaittime_min),
	  MINUTES,
	  .min = 0,
	  .max = 14400,
	  .default_text = "0" },
	{ .key = "dswaitinterval",
	  .type = FIELD_DURATION,
	  AT(ftp_action, dswaitinterval_s),
	  SECONDS,
	  .min = 1,
	  .max = 3600,
	  .default_text = "60s" },
	FTP_SECONDS("dswaittimereply", dswaittimereply_s, 3600, "30s"),
	FTP_ENUM(reply_style, reply_styles, "rfc"),
	{ .key = "commands_allowed", .type = FIELD_COMMANDS, PTR(ftp_action, commands_allowed) },
	{ .key = "commands_denied", .type = FIELD_COMMANDS, PTR(ftp_action, commands_denied) },
	FTP_ENUM(unknown_commands, unknowns, "refuse"),
	{ .key = "access",
	  .type = FIELD_LIST,
	  PTR(ftp_action, access),
	  COUNT(ftp_action, naccess),
	  .sub = &access_schema },
	UINT("login_attempts", ftp_action, login_attempts, 0, 100, "3"),
	DURATION("login_delay", ftp_action, login_delay_ms, 0, 30000, "1s"),
	{ 0 },
};
const struct schema schema_ftp_action = { .fields = ftp_fields,
					  .size = sizeof(struct ftp_action),
					  .name_offset = offsetof(struct ftp_action, name) };
