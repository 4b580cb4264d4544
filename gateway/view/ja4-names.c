/*
 * A fingerprint shows the TLS library and its settings, so programs that share both share a
 * fingerprint, and a new release of the library can have another one. The counts in the first
 * part depend on SNI and ALPN, so only the two hashes are compared.
 */
#include "gateway/view/ja4-names.h"

#include <string.h>

#include "gateway/base/util.h"

static const struct {
	const char *hashes;
	const char *name;
} names[] = {
	{ "e8f1e7e78f70_b26ce05bbdd6", "curl with OpenSSL 3.0" },
	{ "d943125447b4_a44c6288192a", "curl with OpenSSL 3.0, TLS 1.2 at most" },
	{ "e8f1e7e78f70_d41ae481755e", "Python (ftplib) with OpenSSL 3.0" },
	{ "723694b0fccc_2cc26d266019", "lftp with GnuTLS 3.7" },
};

const char *ja4_name(const char *ja4)
{
	const char *hashes = strchr(ja4, '_');

	for (size_t i = 0; hashes != NULL && i < NELEM(names); i++)
		if (strcmp(hashes + 1, names[i].hashes) == 0)
			return names[i].name;
	return NULL;
}
