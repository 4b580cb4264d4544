/*
 * AUTH, PBSZ, PROT and CCC against policy (RFC 2228, RFC 4217, FTP.DATA). Each
 * function checks in the order in which the specifications and z/OS refuse, so
 * that clients get the reply that they know.
 */
#include "ftp-alg/security.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "ftp-alg/feat.h"

/*
 * AUTH's mechanisms (RFC 4217 2.2 and 17). SSL and TLS-P are the drafts' names
 * and imply a protected data connection, as the drafts and all servers have it.
 */
static const struct {
	const char *name;
	enum ftp_prot prot;
} mechanisms[] = {
	{ "TLS", FTP_PROT_CLEAR },
	{ "TLS-C", FTP_PROT_CLEAR },
	{ "TLS-P", FTP_PROT_PRIVATE },
	{ "SSL", FTP_PROT_PRIVATE },
};

static bool word_is(const char *word, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(word, name, len) == 0;
}

static bool offers_auth(const struct ftp_security *security, const struct ftp_action *action)
{
	return action->auth_tls && !security->clear_only;
}

enum ftp_local ftp_security_auth(struct ftp_security *security, const struct ftp_action *action,
				 const char *mechanism, size_t len)
{
	if (security->ctrl == FTP_CTRL_CLEARED)
		return FTP_LOCAL_AUTH_AFTER_CCC;
	if (security->implicit)
		return FTP_LOCAL_AUTH_IMPLICIT;
	if (security->ctrl == FTP_CTRL_TLS)
		return FTP_LOCAL_AUTH_ALREADY;
	if (!action->auth_tls)
		return FTP_LOCAL_AUTH_NOT_OFFERED;
	if (security->clear_only)
		return FTP_LOCAL_AUTH_CLEAR_ONLY;
	if (len == 0)
		return FTP_LOCAL_AUTH_NO_ARGUMENT;
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		if (!word_is(mechanism, len, mechanisms[i].name))
			continue;
		security->prot = mechanisms[i].prot;
		/* If policy forbids protected data, the drafts' default does not apply. */
		if (action->secure_dataconn == SECURE_NEVER)
			security->prot = FTP_PROT_CLEAR;
		return FTP_LOCAL_OK_AUTH;
	}
	return FTP_LOCAL_AUTH_UNKNOWN;
}

void ftp_security_tls_up(struct ftp_security *security)
{
	security->ctrl = FTP_CTRL_TLS;
	security->pbsz = security->implicit;
}

void ftp_security_init(struct ftp_security *security, const struct ftp_action *action, bool implicit)
{
	*security = (struct ftp_security){ .implicit = implicit, .clear_only = security->clear_only };
	if (implicit && action->secure_dataconn != SECURE_NEVER)
		security->prot = FTP_PROT_PRIVATE;
}

enum ftp_local ftp_security_pbsz(struct ftp_security *security, const char *arg, size_t len)
{
	uint64_t size = 0;

	if (security->ctrl == FTP_CTRL_CLEARED)
		return FTP_LOCAL_PBSZ_AFTER_CCC;
	if (security->ctrl != FTP_CTRL_TLS)
		return FTP_LOCAL_PBSZ_FIRST_AUTH;
	if (len == 0 || len > 10)
		return FTP_LOCAL_PBSZ_BAD;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)arg[i]))
			return FTP_LOCAL_PBSZ_BAD;
		size = size * 10 + (uint64_t)(arg[i] - '0');
	}
	if (size > UINT32_MAX) /* RFC 2228 3: a 32-bit number */
		return FTP_LOCAL_PBSZ_BAD;
	security->pbsz = true;
	return FTP_LOCAL_OK_PBSZ;
}

enum ftp_local ftp_security_prot(struct ftp_security *security, const struct ftp_action *action,
				 const char *arg, size_t len)
{
	if (security->ctrl == FTP_CTRL_CLEARED)
		return FTP_LOCAL_PROT_AFTER_CCC;
	if (security->ctrl != FTP_CTRL_TLS)
		return FTP_LOCAL_PBSZ_FIRST_AUTH;
	if (!security->pbsz)
		return FTP_LOCAL_PROT_FIRST_PBSZ;
	if (len != 1)
		return FTP_LOCAL_PROT_UNKNOWN;
	switch (toupper((unsigned char)arg[0])) {
	case 'C':
		if (action->secure_dataconn == SECURE_SAFE || action->secure_dataconn == SECURE_PRIVATE)
			return FTP_LOCAL_PROT_C_DENIED;
		security->prot = FTP_PROT_CLEAR;
		return FTP_LOCAL_OK_PROT_C;
	case 'P':
		if (action->secure_dataconn == SECURE_NEVER)
			return FTP_LOCAL_PROT_P_DENIED;
		security->prot = FTP_PROT_PRIVATE;
		return FTP_LOCAL_OK_PROT_P;
	case 'S':
	case 'E':
		return FTP_LOCAL_PROT_UNSUPPORTED;
	default:
		return FTP_LOCAL_PROT_UNKNOWN;
	}
}

enum ftp_local ftp_security_ccc(struct ftp_security *security, const struct ftp_action *action,
				bool logged_in)
{
	if (security->ctrl != FTP_CTRL_TLS)
		return FTP_LOCAL_CCC_NOT_TLS;
	if (action->tlsrfclevel == TLSRFCLEVEL_DRAFT)
		return FTP_LOCAL_CCC_DRAFT;
	if (security->implicit)
		return FTP_LOCAL_CCC_IMPLICIT;
	if (action->secure_ctrlconn != SECURE_CLEAR)
		return FTP_LOCAL_CCC_DENIED;
	if (!logged_in) /* RFC 4217 15.3: the password has to stay protected */
		return FTP_LOCAL_CCC_BEFORE_LOGIN;
	security->ctrl = FTP_CTRL_CLEARED;
	return FTP_LOCAL_OK_CCC;
}

enum ftp_local ftp_security_transfer(const struct ftp_security *security, const struct ftp_action *action)
{
	bool bound = action->secure_dataconn == SECURE_SAFE || action->secure_dataconn == SECURE_PRIVATE;

	if (!bound || security->prot == FTP_PROT_PRIVATE)
		return FTP_LOCAL_NONE;
	if (security->ctrl != FTP_CTRL_CLEAR)
		return FTP_LOCAL_DATA_UNPROTECTED;
	return action->data_policy_scope == DATA_POLICY_PROTECTED ? FTP_LOCAL_NONE : FTP_LOCAL_DATA_NEEDS_TLS;
}

bool ftp_security_needs_tls(const struct ftp_security *security, const struct ftp_action *action)
{
	return security->ctrl != FTP_CTRL_TLS && ftp_action_needs_tls(action);
}

unsigned ftp_security_features(const struct ftp_security *security, const struct ftp_action *action)
{
	unsigned features = FTP_FEAT_EPSV;

	if (action->portcommand == PORTCOMMAND_ACCEPT)
		features |= FTP_FEAT_EPRT;
	if (offers_auth(security, action) && !security->implicit)
		features |= FTP_FEAT_AUTH;
	if (offers_auth(security, action) || security->implicit)
		features |= FTP_FEAT_PBSZ | FTP_FEAT_PROT;
	if (action->secure_ctrlconn == SECURE_CLEAR && action->tlsrfclevel != TLSRFCLEVEL_DRAFT &&
	    !security->implicit && offers_auth(security, action))
		features |= FTP_FEAT_CCC;
	return features;
}
