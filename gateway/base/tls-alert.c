/*
 * The names of TLS alerts, from IANA's registry. OpenSSL's texts for them are meant for
 * people and differ between releases.
 */
#include "gateway/base/tls-alert.h"

#include <string.h>

#include "gateway/base/util.h"

static const struct {
	uint8_t number;
	const char *name;
	const char *meaning; /* what it usually means to an administrator; NULL: nothing more than its name */
} alerts[] = {
	{ 0, "close_notify", "it has closed the connection in order" },
	{ 10, "unexpected_message", "it did not expect this message: one side is not in step, or has a bug" },
	{ 20, "bad_record_mac", "what it got was changed on the way, or is not TLS" },
	{ 21, "decryption_failed", NULL },
	{ 22, "record_overflow", "it got a record that is too long" },
	{ 30, "decompression_failure", NULL },
	{ 40, "handshake_failure",
	  "no version, cipher or group suits both sides, or it wants a certificate" },
	{ 41, "no_certificate", NULL },
	{ 42, "bad_certificate",
	  "it cannot use the certificate: it is damaged, or has a signature that it refuses" },
	{ 43, "unsupported_certificate",
	  "the certificate has a type, or a purpose, that it does not accept" },
	{ 44, "certificate_revoked", "the certificate has been revoked" },
	{ 45, "certificate_expired", "the certificate has expired, or its clock is wrong" },
	{ 46, "certificate_unknown", "it does not accept the certificate, often after its user was asked" },
	{ 47, "illegal_parameter", "a message has a value that it does not allow" },
	{ 48, "unknown_ca", "it does not trust the authority that issued the certificate" },
	{ 49, "access_denied", "the certificate is valid, but may not do this" },
	{ 50, "decode_error", "it could not read a message" },
	{ 51, "decrypt_error", "a signature or a Finished message is wrong" },
	{ 60, "export_restriction", NULL },
	{ 70, "protocol_version", "it wants another version of TLS" },
	{ 71, "insufficient_security", "it wants stronger ciphers" },
	{ 80, "internal_error", "it has a problem of its own; its log may say more" },
	{ 86, "inappropriate_fallback", "the peer has fallen back to an older version without need" },
	{ 90, "user_canceled", "its user has given up" },
	{ 100, "no_renegotiation", "it refuses to renegotiate" },
	{ 109, "missing_extension", "a message lacks an extension that it needs" },
	{ 110, "unsupported_extension", "it got an extension that it did not ask for" },
	{ 111, "certificate_unobtainable", NULL },
	{ 112, "unrecognized_name", "it has no certificate for the host name that was asked for (SNI)" },
	{ 113, "bad_certificate_status_response", "it does not accept the stapled OCSP response" },
	{ 114, "bad_certificate_hash_value", NULL },
	{ 115, "unknown_psk_identity", "it does not know the pre-shared key" },
	{ 116, "certificate_required", "it wants a client certificate, and none was shown" },
	{ 120, "no_application_protocol", "no protocol suits both sides (ALPN)" },
};

const char *tls_alert_at(size_t index)
{
	return index < NELEM(alerts) ? alerts[index].name : NULL;
}

size_t tls_alert_find(uint8_t number)
{
	for (size_t i = 0; i < NELEM(alerts); i++)
		if (alerts[i].number == number)
			return i;
	return SIZE_MAX;
}

const char *tls_alert_name(uint8_t number)
{
	size_t index = tls_alert_find(number);

	return index == SIZE_MAX ? "unknown" : alerts[index].name;
}

const char *tls_alert_meaning(const char *name)
{
	for (size_t i = 0; i < NELEM(alerts); i++)
		if (strcmp(alerts[i].name, name) == 0)
			return alerts[i].meaning;
	return NULL;
}
