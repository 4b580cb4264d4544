/*
 * OpenSSL has hundreds of reasons for a failed handshake, and each release has more.
 * Counters need a few: what an administrator would change.
 */
#include "gateway/net/stream-tls-cause.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "gateway/base/util.h"

static const struct {
	int reason;
	const char *cause;
} causes[] = {
	{ SSL_R_WRONG_VERSION_NUMBER, "not-tls" },
	{ SSL_R_HTTP_REQUEST, "not-tls" },
	{ SSL_R_HTTPS_PROXY_REQUEST, "not-tls" },
	{ SSL_R_PACKET_LENGTH_TOO_LONG, "not-tls" },
	{ SSL_R_UNEXPECTED_MESSAGE, "not-tls" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, "version" },
	{ SSL_R_VERSION_TOO_LOW, "version" },
	{ SSL_R_VERSION_TOO_HIGH, "version" },
	{ SSL_R_NO_PROTOCOLS_AVAILABLE, "version" },
	{ SSL_R_WRONG_SSL_VERSION, "version" },
	{ SSL_R_INAPPROPRIATE_FALLBACK, "version" },
	{ SSL_R_NO_SHARED_CIPHER, "cipher" },
	{ SSL_R_NO_CIPHERS_AVAILABLE, "cipher" },
	{ SSL_R_WRONG_CIPHER_RETURNED, "cipher" },
	{ SSL_R_UNKNOWN_CIPHER_RETURNED, "cipher" },
	{ SSL_R_NO_SUITABLE_KEY_SHARE, "group" },
	{ SSL_R_NO_SHARED_GROUPS, "group" },
	{ SSL_R_NO_SUITABLE_GROUPS, "group" },
	{ SSL_R_BAD_KEY_SHARE, "group" },
	{ SSL_R_WRONG_CURVE, "group" },
	{ SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, "signature-algorithm" },
	{ SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, "signature-algorithm" },
	{ SSL_R_WRONG_SIGNATURE_TYPE, "signature-algorithm" },
	{ SSL_R_CERTIFICATE_VERIFY_FAILED, "certificate" },
	{ SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "certificate" },
	{ SSL_R_EXCESSIVE_MESSAGE_SIZE, "certificate" },
	{ SSL_R_NO_APPLICATION_PROTOCOL, "alpn" },
};

const char *stream_tls_cause(void)
{
	unsigned long first = ERR_peek_error(), last = ERR_peek_last_error();
	int reason = ERR_GET_REASON(last);

	if (last == 0)
		return "closed";
	if (ERR_GET_LIB(first) ==
	    ERR_LIB_USER) /* one of our callbacks: of SNI, or of a server's certificate */
		return reason == SSL_R_CERTIFICATE_VERIFY_FAILED ? "certificate" : "name";
	if (ERR_SYSTEM_ERROR(last) != 0)
		return "reset";
	if (ERR_GET_LIB(last) != ERR_LIB_SSL)
		return "other";
	if (reason >= SSL_AD_REASON_OFFSET)
		return "alert"; /* of the peer */
	for (size_t i = 0; i < NELEM(causes); i++)
		if (causes[i].reason == reason)
			return causes[i].cause;
	return "other";
}
