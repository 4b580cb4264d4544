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

/* SECURE_PBSZ: the smallest, of which the overhead of a token leaves most. */
#define FTP_PBSZ_MIN 512

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

static bool offers(const struct ftp_security *security, const struct ftp_action *action, unsigned extension)
{
	return (action->extensions & extension) != 0 && !security->clear_only;
}

/* A mechanism that TLS is meant by. */
static enum ftp_local auth_tls(struct ftp_security *security, const struct ftp_action *action,
			       const char *mechanism, size_t len)
{
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		if (!word_is(mechanism, len, mechanisms[i].name))
			continue;
		security->prot = mechanisms[i].prot;
		/* If policy forbids protected data, the drafts' default does not apply. */
		if (action->secure_dataconn == SECURE_NEVER)
			security->prot = FTP_PROT_CLEAR;
		security->adat = false;
		return FTP_LOCAL_OK_AUTH;
	}
	return FTP_LOCAL_AUTH_UNKNOWN;
}

enum ftp_local ftp_security_auth(struct ftp_security *security, const struct ftp_action *action,
				 const char *mechanism, size_t len)
{
	if (security->ctrl == FTP_CTRL_CLEARED)
		return FTP_LOCAL_AUTH_AFTER_CCC;
	if (security->implicit)
		return FTP_LOCAL_AUTH_IMPLICIT;
	if (ftp_security_is_protected(security))
		return FTP_LOCAL_AUTH_ALREADY;
	if (action->extensions == 0)
		return FTP_LOCAL_AUTH_NOT_OFFERED;
	if (security->clear_only)
		return FTP_LOCAL_AUTH_CLEAR_ONLY;
	if (len == 0)
		return FTP_LOCAL_AUTH_NO_ARGUMENT;
	if (offers(security, action, EXTENSION_AUTH_GSSAPI) && word_is(mechanism, len, "GSSAPI")) {
		security->adat = true;
		return FTP_LOCAL_OK_AUTH_GSSAPI;
	}
	if (!offers(security, action, EXTENSION_AUTH_TLS))
		return FTP_LOCAL_AUTH_UNKNOWN_GSSAPI;
	return auth_tls(security, action, mechanism, len);
}

void ftp_security_tls_up(struct ftp_security *security)
{
	security->ctrl = FTP_CTRL_TLS;
	security->pbsz = security->implicit;
}

void ftp_security_gssapi_up(struct ftp_security *security, const struct ftp_action *action)
{
	security->ctrl = FTP_CTRL_GSSAPI;
	security->gssapi = true;
	security->adat = security->pbsz = false;
	security->prot = security->command = FTP_PROT_CLEAR;
	/* until the first command says more: what the gateway sends by itself, such as 421 */
	security->reply = action->secure_ctrlconn == SECURE_PRIVATE ? FTP_PROT_PRIVATE : FTP_PROT_SAFE;
}

void ftp_security_gssapi_failed(struct ftp_security *security)
{
	security->adat = false;
}

enum ftp_local ftp_security_command(const struct ftp_security *security, const struct ftp_action *action,
				    bool secret)
{
	bool hidden = security->command >= FTP_PROT_CONFIDENTIAL;

	if (security->ctrl != FTP_CTRL_GSSAPI)
		return FTP_LOCAL_NONE;
	if (security->command == FTP_PROT_CLEAR)
		return FTP_LOCAL_GSSAPI_CLEAR;
	if (action->secure_ctrlconn == SECURE_PRIVATE && !hidden)
		return FTP_LOCAL_GSSAPI_LEVEL;
	/* MIC hides nothing: policy wants a password to be unreadable, as it would be under TLS */
	return secret && !hidden && ftp_action_needs_tls(action) ? FTP_LOCAL_GSSAPI_SECRET : FTP_LOCAL_NONE;
}

void ftp_security_answer_as(struct ftp_security *security, bool in_transfer)
{
	if (!in_transfer || security->command > security->reply)
		security->reply = security->command;
}

void ftp_security_init(struct ftp_security *security, const struct ftp_action *action, bool implicit)
{
	*security = (struct ftp_security){ .implicit = implicit, .clear_only = security->clear_only };
	if (implicit && action->secure_dataconn != SECURE_NEVER)
		security->prot = FTP_PROT_PRIVATE;
}

/* RFC 2228 3: a 32-bit number. */
static bool parse_size(const char *arg, size_t len, uint64_t *ret_size)
{
	uint64_t size = 0;

	if (len == 0 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)arg[i]))
			return false;
		size = size * 10 + (uint64_t)(arg[i] - '0');
	}
	*ret_size = size;
	return size <= UINT32_MAX;
}

enum ftp_local ftp_security_pbsz(struct ftp_security *security, const struct ftp_action *action,
				 const char *arg, size_t len)
{
	uint64_t size;

	if (security->ctrl == FTP_CTRL_CLEARED)
		return FTP_LOCAL_PBSZ_AFTER_CCC;
	if (!ftp_security_is_protected(security))
		return FTP_LOCAL_PBSZ_FIRST_AUTH;
	if (!parse_size(arg, len, &size))
		return FTP_LOCAL_PBSZ_BAD;
	if (security->gssapi && size < FTP_PBSZ_MIN)
		return FTP_LOCAL_PBSZ_SMALL;
	security->pbsz = true;
	security->block = size < action->secure_pbsz ? (uint32_t)size : action->secure_pbsz;
	return FTP_LOCAL_OK_PBSZ;
}

/* The letters of PROT. */
static const struct {
	char letter;
	enum ftp_prot prot;
	enum ftp_local accepted;
} levels[] = {
	{ 'C', FTP_PROT_CLEAR, FTP_LOCAL_OK_PROT_C },
	{ 'S', FTP_PROT_SAFE, FTP_LOCAL_OK_PROT_S },
	{ 'E', FTP_PROT_CONFIDENTIAL, FTP_LOCAL_OK_PROT_E },
	{ 'P', FTP_PROT_PRIVATE, FTP_LOCAL_OK_PROT_P },
};

/* What SECURE_DATACONN has against a level. */
static enum ftp_local refuse_level(const struct ftp_action *action, enum ftp_prot prot)
{
	switch (action->secure_dataconn) {
	case SECURE_NEVER:
		return prot != FTP_PROT_CLEAR ? FTP_LOCAL_PROT_P_DENIED : FTP_LOCAL_NONE;
	case SECURE_CLEAR:
		return FTP_LOCAL_NONE;
	case SECURE_SAFE:
		return prot == FTP_PROT_CLEAR ? FTP_LOCAL_PROT_C_DENIED : FTP_LOCAL_NONE;
	case SECURE_PRIVATE:
		break;
	}
	return prot == FTP_PROT_CLEAR  ? FTP_LOCAL_PROT_C_DENIED
	       : prot == FTP_PROT_SAFE ? FTP_LOCAL_PROT_S_DENIED
				       : FTP_LOCAL_NONE;
}

enum ftp_local ftp_security_prot(struct ftp_security *security, const struct ftp_action *action,
				 const char *arg, size_t len)
{
	enum ftp_local refusal;

	if (security->ctrl == FTP_CTRL_CLEARED)
		return FTP_LOCAL_PROT_AFTER_CCC;
	if (!ftp_security_is_protected(security))
		return FTP_LOCAL_PBSZ_FIRST_AUTH;
	if (!security->pbsz)
		return FTP_LOCAL_PROT_FIRST_PBSZ;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (len != 1 || toupper((unsigned char)arg[0]) != levels[i].letter)
			continue;
		if (!security->gssapi && levels[i].prot != FTP_PROT_CLEAR &&
		    levels[i].prot != FTP_PROT_PRIVATE)
			return FTP_LOCAL_PROT_UNSUPPORTED;
		refusal = refuse_level(action, levels[i].prot);
		if (refusal != FTP_LOCAL_NONE)
			return refusal;
		security->prot = levels[i].prot;
		return levels[i].accepted;
	}
	return FTP_LOCAL_PROT_UNKNOWN;
}

enum ftp_local ftp_security_ccc(struct ftp_security *security, const struct ftp_action *action,
				bool logged_in)
{
	if (!ftp_security_is_protected(security))
		return FTP_LOCAL_CCC_NOT_TLS;
	if (action->tlsrfclevel == TLSRFCLEVEL_DRAFT && !security->gssapi)
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
	/* PROT has judged the level too, but by what was in force before USER */
	enum ftp_local refusal = refuse_level(action, security->prot);

	if (refusal != FTP_LOCAL_PROT_C_DENIED)
		return refusal;
	if (security->ctrl != FTP_CTRL_CLEAR)
		return FTP_LOCAL_DATA_UNPROTECTED;
	return action->data_policy_scope == DATA_POLICY_PROTECTED ? FTP_LOCAL_NONE : FTP_LOCAL_DATA_NEEDS_TLS;
}

bool ftp_security_needs_tls(const struct ftp_security *security, const struct ftp_action *action)
{
	/* whoever has sent AUTH is bound by SECURE_CTRLCONN, whatever the scope */
	bool left = security->ctrl == FTP_CTRL_CLEARED && action->secure_ctrlconn != SECURE_CLEAR;

	return !ftp_security_is_protected(security) && (left || ftp_action_needs_tls(action));
}

unsigned ftp_security_features(const struct ftp_security *security, const struct ftp_action *action)
{
	bool tls = offers(security, action, EXTENSION_AUTH_TLS);
	bool gssapi = offers(security, action, EXTENSION_AUTH_GSSAPI);
	unsigned features = FTP_FEAT_EPSV;

	if (action->portcommand == PORTCOMMAND_ACCEPT)
		features |= FTP_FEAT_EPRT;
	if (tls && !security->implicit)
		features |= FTP_FEAT_AUTH;
	if (gssapi && !security->implicit)
		features |= FTP_FEAT_AUTH_GSSAPI;
	if (tls || gssapi || security->implicit)
		features |= FTP_FEAT_PBSZ | FTP_FEAT_PROT;
	if (action->secure_ctrlconn == SECURE_CLEAR && !security->implicit &&
	    (gssapi || (tls && action->tlsrfclevel != TLSRFCLEVEL_DRAFT)))
		features |= FTP_FEAT_CCC;
	return features;
}
