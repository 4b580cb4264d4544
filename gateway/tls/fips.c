/*
 * Loads OpenSSL's FIPS provider, which tests itself first, and tells OpenSSL to take nothing from
 * any other one. What is not in the module then fails instead of being replaced.
 */
#include "gateway/tls/fips.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdio.h>

#define FIX                                                                                                       \
	"install the module (Debian 13: openssl-provider-fips; Debian 12 has none), let \"openssl fipsinstall\" " \
	"write fipsmodule.cnf, and name the provider in openssl.cnf, see fips_module(7)"

/* Providers stay loaded for the life of the process: OpenSSL's contexts refer to them. */
static bool load(char why[static FIPS_WHY_MAX])
{
	unsigned long error;
	const char *reason, *data = "";
	int flags = 0;

	/* the file says where the module is, and what its checksum must be */
	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) == 1 &&
	    OSSL_PROVIDER_load(NULL, "fips") != NULL && OSSL_PROVIDER_load(NULL, "base") != NULL)
		return OSSL_PROVIDER_load(NULL, "default") != NULL; /* for later, if fips140 is turned off */
	error = ERR_peek_error_all(NULL, NULL, NULL, &data, &flags);
	reason = ERR_reason_error_string(error);
	(void)snprintf(why, FIPS_WHY_MAX, "OpenSSL %s cannot load its FIPS provider: %.80s%s%.160s; " FIX,
		       OpenSSL_version(OPENSSL_VERSION_STRING), reason != NULL ? reason : "unknown error",
		       (flags & ERR_TXT_STRING) != 0 ? ": " : "", (flags & ERR_TXT_STRING) != 0 ? data : "");
	ERR_clear_error();
	return false;
}

int fips_follow(bool on, char why[static FIPS_WHY_MAX])
{
	/* by this function; a system may have turned it on in openssl.cnf, which is not undone */
	static bool loaded, turned_on;

	if (!on) {
		if (turned_on)
			(void)EVP_default_properties_enable_fips(NULL, 0); /* only without memory */
		turned_on = false;
		return 0;
	}
	if (!loaded && !load(why))
		return -ENOENT;
	loaded = true;
	if (EVP_default_properties_is_fips_enabled(NULL) == 1)
		return 0;
	if (EVP_default_properties_enable_fips(NULL, 1) != 1) {
		(void)snprintf(why, FIPS_WHY_MAX, "OpenSSL refuses to use its FIPS provider only");
		return -ENOENT;
	}
	turned_on = true;
	return 0;
}

int fips_check(const struct policy_daemon *daemon, struct diags *diags)
{
	char why[FIPS_WHY_MAX];

	if (fips_follow(daemon->fips140, why) == 0)
		return 0;
	diags_add(diags, DIAG_ERROR, DIAG_NO_PROVIDER, daemon->fips140_mark, "\"fips140\": %s", why);
	return -EINVAL;
}
