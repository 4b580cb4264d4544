/*
 * A small table of TLS sessions with servers. It is searched from end to end: even a
 * handshake that resumes a session takes a hundred times as long.
 */
#include "gateway/tls/tlsctx-known.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/tls/tlsctx-follow.h"
#include "gateway/tls/tlsctx-reuse.h"

static bool is_of(const struct tlsctx_known_entry *entry, const struct tlsctx_known_key *key)
{
	return entry->rule == key->rule && ip_endpoint_equal(&entry->server, &key->server) &&
	       strcmp(entry->host, key->host) == 0;
}

static void forget(struct tlsctx_known_entry *entry)
{
	SSL_SESSION_free(entry->session);
	free(entry->host);
	*entry = (struct tlsctx_known_entry){ .rule = NULL };
}

/* Neither too old, nor of a certificate that has expired since it was verified. */
static bool is_good(const SSL_SESSION *session)
{
	X509 *shown = SSL_SESSION_get0_peer((SSL_SESSION *)(uintptr_t)session); /* reads only */

	return !tlsctx_session_is_expired(session) && shown != NULL &&
	       X509_cmp_current_time(X509_get0_notAfter(shown)) > 0;
}

SSL_SESSION *tlsctx_known_find(struct tlsctx_known *known, const struct tlsctx_known_key *key)
{
	for (size_t i = 0; i < NELEM(known->entries); i++) {
		struct tlsctx_known_entry *entry = &known->entries[i];

		if (entry->rule == NULL || !is_of(entry, key))
			continue;
		if (!is_good(entry->session)) {
			forget(entry);
			return NULL;
		}
		entry->used = ++known->uses;
		return entry->session;
	}
	return NULL;
}

/* The entry of this server, or an empty one, or the one that was used longest ago. */
static struct tlsctx_known_entry *place_of(struct tlsctx_known *known, const struct tlsctx_known_key *key)
{
	struct tlsctx_known_entry *place = &known->entries[0];

	for (size_t i = 0; i < NELEM(known->entries); i++) {
		struct tlsctx_known_entry *entry = &known->entries[i];

		if (entry->rule != NULL && is_of(entry, key))
			return entry;
		if (entry->used < place->used) /* an empty one's is 0 */
			place = entry;
	}
	return place;
}

void tlsctx_known_put(struct tlsctx_known *known, const struct tlsctx_known_key *key,
		      const struct tlsctx_follow *follow)
{
	SSL_SESSION *session = follow->control;
	char *host = session != NULL ? strdup(key->host) : NULL;
	struct tlsctx_known_entry *entry;

	if (host == NULL || SSL_SESSION_up_ref(session) != 1) {
		free(host);
		return;
	}
	entry = place_of(known, key);
	forget(entry);
	*entry = (struct tlsctx_known_entry){ .rule = key->rule,
					      .host = host,
					      .server = key->server,
					      .session = session,
					      .used = ++known->uses };
}

void tlsctx_known_done(struct tlsctx_known *known)
{
	for (size_t i = 0; i < NELEM(known->entries); i++)
		forget(&known->entries[i]);
}
