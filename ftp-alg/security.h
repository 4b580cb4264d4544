/*
 * RFC 2228 / RFC 4217 security state of one control connection, and what
 * FTP.DATA's SECURE_ statements allow in it.
 *
 * Each function returns the reply that the command gets: a refusal, or one of
 * the positive FTP_LOCAL_OK_ answers after it has changed the state.
 */
#ifndef ATTLSD_FTP_ALG_SECURITY_H
#define ATTLSD_FTP_ALG_SECURITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp-alg/local-reply.h"
#include "policy/ftp-action.h"

enum ftp_ctrl {
	FTP_CTRL_CLEAR = 0,
	FTP_CTRL_TLS,
	FTP_CTRL_GSSAPI,  /* each command comes in MIC, CONF or ENC */
	FTP_CTRL_CLEARED, /* clear, but formerly private: after CCC */
};

/* Levels of protection, the weakest first (RFC 2228 3). TLS has only the first and the last. */
enum ftp_prot { FTP_PROT_CLEAR = 0, FTP_PROT_SAFE, FTP_PROT_CONFIDENTIAL, FTP_PROT_PRIVATE };

struct ftp_security {
	enum ftp_ctrl ctrl;
	enum ftp_prot prot;
	bool pbsz;
	bool implicit;	       /* the connection came in on the secure port (TLSPORT) */
	bool clear_only;       /* it came in on a port without TLS: none is offered */
	bool adat;	       /* AUTH GSSAPI was accepted, and ADAT is next */
	bool gssapi;	       /* there is a security context, also after CCC */
	enum ftp_prot command; /* with a context: how the command that is being taken is protected, */
	enum ftp_prot reply;   /* and how replies are */
	uint32_t block;	       /* with a context: PBSZ, the longest token on data connections */
};

/*
 * AUTH: on FTP_LOCAL_OK_AUTH the caller starts TLS and then calls ftp_security_tls_up(). On
 * FTP_LOCAL_OK_AUTH_GSSAPI it awaits ADAT, and then calls ftp_security_gssapi_up().
 */
enum ftp_local ftp_security_auth(struct ftp_security *security, const struct ftp_action *action,
				 const char *mechanism, size_t len);

/* TLS has come up, after AUTH or at once on an implicit port. */
void ftp_security_tls_up(struct ftp_security *security);

/* The exchange of ADAT is over: there is a security context, or not. */
void ftp_security_gssapi_up(struct ftp_security *security, const struct ftp_action *action);
void ftp_security_gssapi_failed(struct ftp_security *security);

/*
 * With a security context: is the command protected as it must be? secret: its argument
 * is a password. FTP_LOCAL_NONE or the refusal.
 */
enum ftp_local ftp_security_command(const struct ftp_security *security, const struct ftp_action *action,
				    bool secret);

/* Such a command is taken: its reply gets its level, or the transfer's that is running if that is higher. */
void ftp_security_answer_as(struct ftp_security *security, bool in_transfer);

/* Is the control connection protected now? */
static inline bool ftp_security_is_protected(const struct ftp_security *security)
{
	return security->ctrl == FTP_CTRL_TLS || security->ctrl == FTP_CTRL_GSSAPI;
}

/*
 * The state of a fresh connection, also after REIN (RFC 4217 13). On the secure
 * port data are private from the start, where policy allows it. Keeps clear_only.
 */
void ftp_security_init(struct ftp_security *security, const struct ftp_action *action, bool implicit);

/* Under TLS, FTP_LOCAL_OK_PBSZ is the reply. With a security context, the reply names security->block. */
enum ftp_local ftp_security_pbsz(struct ftp_security *security, const struct ftp_action *action,
				 const char *arg, size_t len);
enum ftp_local ftp_security_prot(struct ftp_security *security, const struct ftp_action *action,
				 const char *arg, size_t len);

/* CCC: on FTP_LOCAL_OK_CCC the state is FTP_CTRL_CLEARED, PBSZ and PROT are frozen. */
enum ftp_local ftp_security_ccc(struct ftp_security *security, const struct ftp_action *action,
				bool logged_in);

/* May a transfer begin with the level that is set, by the action in force? FTP_LOCAL_NONE or the refusal. */
enum ftp_local ftp_security_transfer(const struct ftp_security *security, const struct ftp_action *action);

/* Does SECURE_FTP or SECURE_CTRLCONN stand in the way of a command that needs TLS? */
bool ftp_security_needs_tls(const struct ftp_security *security, const struct ftp_action *action);

/* The FTP_FEAT_ bits that a FEAT reply shows now. */
unsigned ftp_security_features(const struct ftp_security *security, const struct ftp_action *action);

#endif
