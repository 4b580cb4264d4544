/*
 * What FTP may do: the types of one entry of ftp_actions, which is FTP.DATA.
 *
 * Types and a few predicates, so that ftp-alg/ can read a policy without knowing how one is
 * parsed. In every enum the zero value is the strictest: an action that was
 * never filled in refuses (z/OS IP Configuration Reference, FTP.DATA).
 */
#ifndef ATTLSD_POLICY_FTP_ACTION_H
#define ATTLSD_POLICY_FTP_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* SECURE_FTP: must every client log in under TLS? */
enum secure_ftp { SECURE_FTP_REQUIRED = 0, SECURE_FTP_ALLOWED };

/* SECURE_LOGIN: what the client's certificate has to prove. */
enum secure_login {
	SECURE_LOGIN_VERIFY_USER = 0,
	SECURE_LOGIN_REQUIRED,
	SECURE_LOGIN_NO_CLIENT_AUTH,
};

/* Bits of EXTENSIONS: the mechanisms of AUTH that are offered. */
#define EXTENSION_AUTH_TLS    1u
#define EXTENSION_AUTH_GSSAPI 2u

/*
 * SECURE_PASSWORD: does a verified certificate replace the password?
 * SECURE_PASSWORD_KERBEROS: does a ticket?
 */
enum secure_password { SECURE_PASSWORD_REQUIRED = 0, SECURE_PASSWORD_OPTIONAL };

/*
 * SECURE_CTRLCONN (clear, safe, private) and SECURE_DATACONN (all four).
 * NEVER is not "less than clear" but "encryption is refused".
 */
enum secure_level { SECURE_PRIVATE = 0, SECURE_SAFE, SECURE_CLEAR, SECURE_NEVER };

/* How a connection is protected, as PROT spells it: RFC 2228 3. Static. */
static inline const char *secure_level_letter(enum secure_level level)
{
	static const char *const letters[] = { "P", "S", "C", "C" };

	return letters[level];
}

/* Which sessions SECURE_CTRLCONN and SECURE_DATACONN apply to: all, or (z/OS) those that had AUTH. */
enum data_policy_scope { DATA_POLICY_ALL = 0, DATA_POLICY_PROTECTED };

/*
 * SECURE_SESSION_REUSE: must a data connection resume its control connection's TLS session?
 * REQUIRED_USER: or that of another session of the same user, rule and client address.
 */
enum session_reuse {
	SESSION_REUSE_REQUIRED = 0,
	SESSION_REUSE_REQUIRED_USER,
	SESSION_REUSE_ALLOWED,
	SESSION_REUSE_NONE
};

static inline bool session_reuse_is_required(enum session_reuse reuse)
{
	return reuse == SESSION_REUSE_REQUIRED || reuse == SESSION_REUSE_REQUIRED_USER;
}

/* TLSRFCLEVEL: which variant of CCC. */
enum tls_rfc_level { TLSRFCLEVEL_DRAFT = 0, TLSRFCLEVEL_RFC4217, TLSRFCLEVEL_CCCNONOTIFY };

/* PASSIVEDATACONN, PORTCOMMANDIPADDR: may the address differ from the control connection's? */
enum redirect { NOREDIRECT = 0, REDIRECT_UNRESTRICTED };

/* Who waits at a passive port: one session at a time, or one of each client address. */
enum passivedatashare { PASSIVEDATASHARE_NONE = 0, PASSIVEDATASHARE_SOURCE };

/* PORTCOMMAND */
enum portcommand { PORTCOMMAND_REJECT = 0, PORTCOMMAND_ACCEPT };

/* PORTCOMMANDPORT: may PORT and EPRT name a port below 1024? */
enum portcommandport { NOLOWPORTS = 0, LOWPORTS_UNRESTRICTED };

/* From which port to dial a client that has sent PORT: any, or that of the control connection minus one. */
enum data_port { DATA_PORT_ANY = 0, DATA_PORT_LOWER };

/* FTPLOGGING: a log line for each change that is not a transfer. TRUE and TRUENODNS mean the same here. */
enum ftplogging { FTPLOGGING_TRUENODNS = 0, FTPLOGGING_TRUE, FTPLOGGING_FALSE };

/* Which reply codes to use where z/OS and the RFCs differ. */
enum reply_style { REPLY_STYLE_RFC = 0, REPLY_STYLE_ZOS };

/* Verbs that the gateway does not know: refuse them, or let the server decide. */
enum unknown_commands { UNKNOWN_COMMANDS_REFUSE = 0, UNKNOWN_COMMANDS_PASS };

/* Commands by name, in upper case: "DELE", or with its first argument "SITE EXEC". */
struct command_list {
	const char **names;
	size_t n;
};

struct name_list {
	const char **names;
	size_t n;
};

/* Where a path is: with UNIX files (z/OS's HFS, and all files of other servers), data sets, or the spool. */
enum ftp_space { FTP_SPACE_NONE = 0, FTP_SPACE_HFS, FTP_SPACE_MVS, FTP_SPACE_JES };

/* More are an error: a session has a bit for each. */
#define FTP_ACCESS_MAX 128

/* One of `access`: who may do something with a path. The first entry that covers path and verb decides. */
struct ftp_access {
	const char *path; /* as the policy writes it */
	enum ftp_space space;
	/* its folders, or the qualifiers of a data set. HFS: may contain * and ?; everything beneath is
	 * covered, too. MVS: may contain * and %, and ** alone; in upper case. JES: none */
	const char **parts;
	size_t nparts;
	bool everyone;		/* `users` is "*" */
	struct name_list users; /* who has logged in at the server; each of these lists lets in by itself */
	struct name_list certificates; /* the user of the policy whose certificate the client has shown */
	struct name_list principals;   /* or as whose principal of Kerberos it has authenticated */
	struct command_list verbs;     /* n 0: all */
	uint32_t line;		       /* of the policy; 0: it is not in the policy's own file */
};

struct port_range {
	uint16_t low; /* 0: no range was given */
	uint16_t high;
};

/* How many ports it has; 0 if none was given. */
static inline unsigned port_range_size(const struct port_range *range)
{
	return range->low == 0 ? 0 : range->high - range->low + 1u;
}

struct ftp_action;

/* Stricter levels for some users, from their USER on. */
struct ftp_per_user {
	struct name_list users; /* names with * and ? in any case */
	enum secure_ftp secure_ftp;
	enum secure_login secure_login;
	enum secure_level secure_ctrlconn;
	enum secure_level secure_dataconn;
	const struct ftp_action *action; /* the whole action with these levels; it has no per_user */
};

struct ftp_action {
	const char *name;
	struct ftp_per_user *per_user; /* the first that names a user counts */
	size_t nper_user;
	const struct ftp_action
	    *usual;	     /* of an action in per_user: that of all other users; NULL: it is that */
	unsigned extensions; /* EXTENSION_ bits */
	enum secure_ftp secure_ftp;
	enum secure_login secure_login;
	enum secure_password secure_password;
	enum secure_password secure_password_kerberos;
	uint32_t secure_pbsz; /* SECURE_PBSZ: bytes of the longest block that AUTH GSSAPI protects */
	enum secure_level secure_ctrlconn;
	enum secure_level secure_dataconn;
	enum data_policy_scope data_policy_scope;
	enum session_reuse secure_session_reuse;
	enum tls_rfc_level tlsrfclevel;
	bool ccc_prime; /* after CCC, help firewalls to see the first 227 or 229 */
	bool secureimplicitzos;
	struct port_range passivedataports;
	enum redirect passivedataconn;
	enum passivedatashare passivedatashare;
	enum portcommand portcommand;
	enum redirect portcommandipaddr;
	enum portcommandport portcommandport;
	enum data_port data_port;
	uint32_t replysecuritylevel; /* 0 or 1 */
	const char *banner; /* BANNER: a file; NULL: only the server's greeting; "none": not even that */
	const char *adminemailaddress; /* for %E in that file; NULL: none */
	bool accesserrormsgs;
	const char *login_check; /* FTCHKPWD: the local socket that decides about logins; NULL: none */
	bool verifyuser;	 /* VERIFYUSER: only users of the policy may log in, with TLS or without */
	enum ftplogging ftplogging;
	bool session_summary;
	uint32_t ftpkeepalive_s; /* 0: leave it to the kernel */
	uint32_t datakeepalive_s;
	uint32_t inactive_s;		      /* 0: never */
	uint32_t inacttime_s;		      /* the server's answer, while no data moves */
	uint32_t dconntime_s;		      /* the receiver's acknowledgement of a transfer's last bytes */
	uint32_t datacttime_s;		      /* a byte of a transfer */
	uint32_t cconntime_s;		      /* the client's end of a control connection that is over */
	uint32_t myopentime_s;		      /* the server to accept a control connection */
	uint32_t datatimeout_s;		      /* both data connections of a transfer */
	uint32_t progress_s;		      /* between two log lines of a transfer; 0: none */
	uint32_t dswaittimereply_s;	      /* between two 125- lines; 0: with each attempt only */
	uint32_t dswaittime_min;	      /* 0: a busy data set is an error at once */
	uint32_t dswaitinterval_s;	      /* between two attempts; z/OS waits a minute */
	struct command_list commands_allowed; /* when there are any, all others are refused */
	struct command_list commands_denied;
	enum unknown_commands unknown_commands;
	struct ftp_access *access; /* naccess 0: paths are not looked at */
	size_t naccess;
	uint32_t login_attempts; /* failures after which the session ends; 0: no limit */
	uint32_t login_delay_ms; /* after a failed login; doubles with each failure */
	enum reply_style reply_style;
};

/* Do clients see a greeting of the gateway's in place of the server's? */
static inline bool ftp_action_hides_greeting(const struct ftp_action *action)
{
	return action->replysecuritylevel != 0 ||
	       (action->banner != NULL && strcmp(action->banner, "none") == 0);
}

static inline bool ftp_action_has_banner(const struct ftp_action *action)
{
	return action->banner != NULL && strcmp(action->banner, "none") != 0;
}

/* SECURE_MECHANISM toward a server: how TLS begins. AUTH TLS, AUTH SSL (older servers), or at once. */
enum secure_mechanism { SECURE_MECHANISM_TLS = 0, SECURE_MECHANISM_SSL, SECURE_MECHANISM_IMPLICIT };

/* CCC toward a server: with AFTER_LOGIN, firewalls beyond the gateway see the ports. */
enum server_ccc { SERVER_CCC_NEVER = 0, SERVER_CCC_AFTER_LOGIN };

/*
 * How the connections to a server are protected: the statements of FTP.DATA that z/OS reads
 * for its client. Part of one entry of backends.
 */
struct server_security {
	bool tls; /* false: the server speaks no TLS, and nothing below applies */
	enum secure_mechanism mechanism;
	bool secureimplicitzos;	    /* implicit: the server's 220 comes in the clear, before the handshake */
	enum secure_level ctrlconn; /* the least that policy accepts: CLEAR allows CCC, */
	enum secure_level dataconn; /* CLEAR allows PROT C. NEVER: always PROT C */
	enum session_reuse session_reuse; /* of data connections. REQUIRED_USER does not occur */
	enum server_ccc ccc;
	enum tls_rfc_level tlsrfclevel; /* which variant of CCC */
};

/*
 * Must a client start TLS before it logs in? SECURE_FTP says so, or SECURE_CTRLCONN,
 * which a control connection in the clear does not satisfy.
 */
static inline bool ftp_action_needs_tls(const struct ftp_action *action)
{
	return action->secure_ftp == SECURE_FTP_REQUIRED ||
	       (action->data_policy_scope == DATA_POLICY_ALL && action->secure_ctrlconn != SECURE_CLEAR);
}

/* What SECURE_LOGIN wants of certificates, of the users for whom it wants most. */
static inline enum secure_login ftp_action_strictest_login(const struct ftp_action *action)
{
	enum secure_login strictest = action->secure_login;

	for (size_t i = 0; i < action->nper_user; i++) {
		const struct ftp_action *one = action->per_user[i].action;

		if (one != NULL && one->secure_login < strictest)
			strictest = one->secure_login;
	}
	return strictest;
}

#endif
