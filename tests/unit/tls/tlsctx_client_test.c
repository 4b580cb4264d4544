#include "gateway/tls/tlsctx-client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "gateway/net/stream-tls.h"
#include "gateway/tls/certs.h"
#include "gateway/tls/trust.h"
#include "tests/unit/tls/certificates.h"

#define STEPS  20
#define SERIAL 7

/* The gateway toward a server that is OpenSSL alone, in memory. */
struct pair {
	SSL_CTX *ctx;
	SSL *server, *client;
	char reason[256]; /* why the client's end failed */
};

enum pin { PIN_NONE = 0, PIN_CERTIFICATE, PIN_KEY, PIN_OTHER };
enum issuer { ISSUER_TRUSTED = 0, ISSUER_OTHER, ISSUER_ITSELF };

struct row {
	const char *name;
	const char *host;
	struct certificate_setup server; /* `issuer` is filled in */
	enum issuer issuer;
	enum pin pin;
	bool no_trust, crl, any_host;
	int version;	   /* the server's; 0: TLS 1.3 */
	const char *fails; /* with this reason; NULL: it does not */
};

#define NAMES(text) .server = { .name = "partner", .san = (text), .serial = 1 }

static const struct row rows[] = {
	{ "the name", "ftp.example", NAMES("DNS:ftp.example") },
	{ "in TLS 1.2", "ftp.example", NAMES("DNS:ftp.example"), .version = TLS1_2_VERSION },
	{ "one of two names", "ftp.example", NAMES("DNS:www.example,DNS:ftp.example") },
	{ "case does not count", "FTP.example", NAMES("DNS:ftp.Example") },
	{ "nor the dot of the root", "ftp.example.", NAMES("DNS:ftp.example") },
	{ "another name", "ftp.example", NAMES("DNS:www.example"), .fails = "hostname mismatch" },
	{ "another name in TLS 1.2", "ftp.example", NAMES("DNS:www.example"), .version = TLS1_2_VERSION,
	  .fails = "hostname mismatch" },
	{ "any name, where policy says so", "ftp.example", NAMES("DNS:www.example"), .any_host = true },
	{ "a common name does not count",
	  "partner",
	  { .name = "partner", .serial = 1 },
	  .fails = "hostname mismatch" },
	{ "a wildcard", "ftp.partner.example", NAMES("DNS:*.partner.example") },
	{ "a wildcard is one label", "a.ftp.partner.example", NAMES("DNS:*.partner.example"),
	  .fails = "hostname mismatch" },
	{ "and not none", "partner.example", NAMES("DNS:*.partner.example"), .fails = "hostname mismatch" },
	{ "it is the first label", "ftp.partner.example", NAMES("DNS:ftp.*.example"),
	  .fails = "hostname mismatch" },
	{ "and a whole one", "ftp1.partner.example", NAMES("DNS:ftp*.partner.example"),
	  .fails = "hostname mismatch" },
	{ "not of a whole domain", "ftp.example", NAMES("DNS:*.example"), .fails = "hostname mismatch" },
	{ "an address", "192.0.2.1", NAMES("IP:192.0.2.1") },
	{ "another address", "192.0.2.1", NAMES("IP:192.0.2.2"), .fails = "IP address mismatch" },
	{ "an address as a name", "192.0.2.1", NAMES("DNS:192.0.2.1"), .fails = "IP address mismatch" },
	{ "an IPv6 address", "2001:db8::1", NAMES("IP:2001:db8::1") },
	{ "another IPv6 address", "2001:db8::1", NAMES("IP:2001:db8::2"), .fails = "IP address mismatch" },
	{ "expired",
	  "ftp.example",
	  { .name = "p", .san = "DNS:ftp.example", .serial = 1, .from_days = -2, .to_days = -1 },
	  .fails = "certificate has expired" },
	{ "not valid yet",
	  "ftp.example",
	  { .name = "p", .san = "DNS:ftp.example", .serial = 1, .from_days = 1, .to_days = 2 },
	  .fails = "certificate is not yet valid" },
	{ "a list without it", "ftp.example", NAMES("DNS:ftp.example"), .crl = true },
	{ "revoked",
	  "ftp.example",
	  { .name = "p", .san = "DNS:ftp.example", .serial = SERIAL },
	  .crl = true,
	  .fails = "certificate revoked" },
	{ "an unknown authority", "ftp.example", NAMES("DNS:ftp.example"), .issuer = ISSUER_OTHER,
	  .fails = "unable to get local issuer certificate" },
	{ "self-signed", "ftp.example", NAMES("DNS:ftp.example"), .issuer = ISSUER_ITSELF,
	  .fails = "self-signed certificate" },
	{ "for clients only",
	  "ftp.example",
	  { .name = "p", .san = "DNS:ftp.example", .serial = 1, .use = "clientAuth" },
	  .fails = "unsuitable certificate purpose" },
	{ "a weak key",
	  "ftp.example",
	  { .name = "p", .san = "DNS:ftp.example", .serial = 1, .rsa_bits = 1024 },
	  .fails = "EE certificate key too weak" },
	{ "nothing is trusted", "ftp.example", NAMES("DNS:ftp.example"), .no_trust = true,
	  .fails = "unable to get local issuer certificate" },
	{ "a pin of the certificate", "ftp.example", NAMES("DNS:ftp.example"), .pin = PIN_CERTIFICATE },
	{ "a pin of its key", "ftp.example", NAMES("DNS:ftp.example"), .pin = PIN_KEY },
	{ "a pin does not replace trust", "ftp.example", NAMES("DNS:ftp.example"), .pin = PIN_KEY,
	  .issuer = ISSUER_OTHER, .fails = "unable to get local issuer certificate" },
	{ "nor the name", "ftp.example", NAMES("DNS:www.example"), .pin = PIN_KEY,
	  .fails = "hostname mismatch" },
	{ "nor trust a pin", "ftp.example", NAMES("DNS:ftp.example"), .pin = PIN_OTHER,
	  .fails = "matches none of the pins" },
	{ "a pin alone: self-signed", "ftp.example", NAMES("DNS:ftp.example"), .issuer = ISSUER_ITSELF,
	  .no_trust = true, .pin = PIN_CERTIFICATE },
	{ "a pin alone: an unknown authority", "ftp.example", NAMES("DNS:ftp.example"),
	  .issuer = ISSUER_OTHER, .no_trust = true, .pin = PIN_KEY },
	{ "a pin alone: another one", "ftp.example", NAMES("DNS:ftp.example"), .issuer = ISSUER_ITSELF,
	  .no_trust = true, .pin = PIN_OTHER, .fails = "matches none of the pins" },
	{ "a pin alone: another name", "ftp.example", NAMES("DNS:www.example"), .issuer = ISSUER_ITSELF,
	  .no_trust = true, .pin = PIN_KEY, .fails = "hostname mismatch" },
	{ "a pin alone: any name", "ftp.example", NAMES("DNS:www.example"), .issuer = ISSUER_ITSELF,
	  .no_trust = true, .pin = PIN_KEY, .any_host = true },
	{ "a pin alone: expired",
	  "ftp.example",
	  { .name = "p", .san = "DNS:ftp.example", .serial = 1, .from_days = -2, .to_days = -1 },
	  .issuer = ISSUER_ITSELF,
	  .no_trust = true,
	  .pin = PIN_KEY,
	  .fails = "certificate has expired" },
	{ "a pin alone: a weak key",
	  "ftp.example",
	  { .name = "p", .san = "DNS:ftp.example", .serial = 1, .rsa_bits = 1024 },
	  .issuer = ISSUER_ITSELF,
	  .no_trust = true,
	  .pin = PIN_KEY,
	  .fails = "EE certificate key too weak" },
	{ "TLS 1.1", "ftp.example", NAMES("DNS:ftp.example"), .version = TLS1_1_VERSION,
	  .fails = "protocol version" },
};

static struct certificate trusted, other;
static char trust_path[TEMPORARY_PATH], crl_path[TEMPORARY_PATH];

static int make_authorities(void **state)
{
	FILE *file = certificate_file(trust_path, "trust.pem");
	X509_CRL *crl;

	(void)state;
	trusted = certificate_make(&(struct certificate_setup){ .name = "trusted", .ca = true, .serial = 1 });
	other = certificate_make(&(struct certificate_setup){ .name = "other", .ca = true, .serial = 1 });
	assert_int_equal(PEM_write_X509(file, trusted.x509), 1);
	assert_int_equal(fclose(file), 0);
	file = certificate_file(crl_path, "crl.pem");
	crl = certificate_revoke(&trusted, SERIAL);
	assert_int_equal(PEM_write_X509_CRL(file, crl), 1);
	assert_int_equal(fclose(file), 0);
	X509_CRL_free(crl);
	return 0;
}

static int drop_authorities(void **state)
{
	(void)state;
	certificate_done(&trusted);
	certificate_done(&other);
	return 0;
}

static void hash(unsigned char *der, int len, char text[static TLSCTX_SHA256_TEXT])
{
	unsigned char bytes[32];

	assert_true(len > 0);
	assert_int_equal(EVP_Digest(der, (size_t)len, bytes, NULL, EVP_sha256(), NULL), 1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	OPENSSL_free(der);
}

static void pin_of(const struct certificate *of, enum pin pin, char text[static TLSCTX_SHA256_TEXT])
{
	unsigned char *der = NULL;
	int len = pin == PIN_KEY ? i2d_PUBKEY(of->key, &der) : i2d_X509(of->x509, &der);

	hash(der, len, text);
	if (pin == PIN_OTHER)
		text[0] = text[0] == '0' ? '1' : '0';
}

static void pair_open(struct pair *pair, const struct certificate *certificate, int version)
{
	*pair = (struct pair){ .ctx = SSL_CTX_new(TLS_server_method()) };
	assert_non_null(pair->ctx);
	SSL_CTX_set_security_level(pair->ctx, 0); /* a server may be careless */
	if (version != 0) {
		assert_int_equal(SSL_CTX_set_min_proto_version(pair->ctx, version), 1);
		assert_int_equal(SSL_CTX_set_max_proto_version(pair->ctx, version), 1);
	}
	assert_int_equal(SSL_CTX_use_certificate(pair->ctx, certificate->x509), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(pair->ctx, certificate->key), 1);
	assert_int_equal(SSL_CTX_set_session_id_context(pair->ctx, (const unsigned char *)"t", 1), 1);
}

/* Returns whether the client's end is up; then both are, and the tickets have been read. */
static bool pair_connect(struct pair *pair, SSL *client)
{
	BIO *here, *there;
	int up = 0, accepted = 0;
	char byte;

	pair->client = client;
	pair->server = SSL_new(pair->ctx);
	assert_non_null(pair->client);
	assert_non_null(pair->server);
	assert_int_equal(BIO_new_bio_pair(&here, 64 * 1024, &there, 64 * 1024), 1);
	SSL_set_bio(pair->client, here, here);
	SSL_set_bio(pair->server, there, there);
	SSL_set_accept_state(pair->server);
	for (int step = 0; step < STEPS && (up != 1 || accepted != 1); step++) {
		ERR_clear_error();
		up = SSL_do_handshake(pair->client);
		if (up != 1 && SSL_get_error(pair->client, up) == SSL_ERROR_SSL) {
			(void)snprintf(pair->reason, sizeof(pair->reason), "%s / %s", stream_tls_reason(),
				       X509_verify_cert_error_string(SSL_get_verify_result(pair->client)));
			return false;
		}
		accepted = SSL_do_handshake(pair->server);
	}
	assert_int_equal(up, 1);
	assert_int_equal(accepted, 1);
	assert_int_equal(SSL_write(pair->server, "a", 1), 1);
	assert_int_equal(SSL_read(pair->client, &byte, 1), 1);
	return true;
}

/* The connection ends in order, and the server's context stays. */
static void pair_drop(struct pair *pair)
{
	(void)SSL_shutdown(pair->client);
	(void)SSL_shutdown(pair->server);
	SSL_free(pair->client);
	SSL_free(pair->server);
	pair->client = pair->server = NULL;
}

static void pair_close(struct pair *pair)
{
	if (pair->client != NULL)
		pair_drop(pair);
	SSL_CTX_free(pair->ctx);
}

/* What a policy would have. */
struct gateway {
	struct policy_keyring ring;
	struct tls_action action;
	struct certs *certs;
	struct trust *trust;
	struct tlsctx_client *client;
};

static void gateway_open(struct gateway *gateway)
{
	struct diags diags;

	gateway->action.keyring = &gateway->ring;
	gateway->action.role = ROLE_CLIENT;
	gateway->action.versions = POLICY_TLS1_2 | POLICY_TLS1_3;
	gateway->action.session_timeout_s = 100;
	assert_int_equal(diags_init(&diags, "", "", 0), 0);
	assert_int_equal(certs_load(&gateway->ring, NULL, &diags, &gateway->certs), 0);
	assert_int_equal(trust_load(&gateway->ring, &diags, &gateway->trust), 0);
	assert_int_equal(
	    tlsctx_client_load(&gateway->action, gateway->certs, gateway->trust, &diags, &gateway->client),
	    0);
	assert_int_equal(diags.nerrors, 0);
	diags_done(&diags);
}

static void gateway_close(struct gateway *gateway)
{
	tlsctx_client_free(&gateway->client);
	certs_free(&gateway->certs);
	trust_free(&gateway->trust);
}

static void test_row(const struct row *row)
{
	struct certificate_setup setup = row->server;
	char pin[TLSCTX_SHA256_TEXT], shown[TLSCTX_SHA256_TEXT];
	const char *pins[] = { pin };
	struct gateway gateway = {
		.ring = { .trust = row->no_trust ? NULL : trust_path, .crl = row->crl ? crl_path : NULL },
		.action = { .secure_hostname =
				row->any_host ? SECURE_HOSTNAME_OPTIONAL : SECURE_HOSTNAME_REQUIRED }
	};
	struct certificate certificate;
	struct pair pair;
	bool up;

	setup.issuer = row->issuer == ISSUER_TRUSTED ? &trusted : row->issuer == ISSUER_OTHER ? &other : NULL;
	certificate = certificate_make(&setup);
	if (row->pin != PIN_NONE) {
		pin_of(&certificate, row->pin, pin);
		gateway.action.pins = pins;
		gateway.action.npins = 1;
	}
	gateway_open(&gateway);
	pair_open(&pair, &certificate, row->version);
	up = pair_connect(&pair, tlsctx_client_new(gateway.client, TLSCTX_CONTROL, row->host, NULL));
	if (up != (row->fails == NULL))
		fail_msg("%s: %s", row->name, up ? "accepted" : pair.reason);
	if (!up && strstr(pair.reason, row->fails) == NULL)
		fail_msg("%s: fails with %s", row->name, pair.reason);
	/* the log names the certificate that was refused */
	pin_of(&certificate, PIN_CERTIFICATE, shown);
	if (row->version != TLS1_1_VERSION)
		assert_string_equal(tlsctx_client_shown(pair.client), shown);
	pair_close(&pair);
	gateway_close(&gateway);
	certificate_done(&certificate);
}

static void test_servers(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++)
		test_row(&rows[i]);
}

/* SNI has names only. */
static void test_the_name_is_sent(void **state)
{
	static const struct {
		const char *host, *sent;
	} names[] = { { "ftp.example", "ftp.example" },
		      { "ftp.example.", "ftp.example" },
		      { "192.0.2.1", NULL },
		      { "2001:db8::1", NULL } };
	struct gateway gateway = { .ring = { .trust = trust_path },
				   .action = { .secure_hostname = SECURE_HOSTNAME_OPTIONAL } };
	struct certificate certificate =
	    certificate_make(&(struct certificate_setup){ .name = "p", .serial = 1, .issuer = &trusted });
	struct pair pair;

	(void)state;
	gateway_open(&gateway);
	for (size_t i = 0; i < NELEM(names); i++) {
		const char *got;

		pair_open(&pair, &certificate, 0);
		assert_true(pair_connect(
		    &pair, tlsctx_client_new(gateway.client, TLSCTX_CONTROL, names[i].host, NULL)));
		got = SSL_get_servername(pair.server, TLSEXT_NAMETYPE_host_name);
		if (names[i].sent == NULL)
			assert_null(got);
		else
			assert_string_equal(got, names[i].sent);
		pair_close(&pair);
	}
	gateway_close(&gateway);
	certificate_done(&certificate);
}

/* The sessions of one connection serve those that follow, in both versions, as often as they like. */
static void test_resumption(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct gateway gateway = { .ring = { .trust = trust_path } };
	struct certificate certificate = certificate_make(&(struct certificate_setup){
	    .name = "p", .san = "DNS:ftp.example", .serial = 1, .issuer = &trusted });

	(void)state;
	gateway_open(&gateway);
	for (size_t i = 0; i < NELEM(versions); i++) {
		struct pair pair;
		SSL_SESSION *session;

		pair_open(&pair, &certificate, versions[i]);
		assert_true(pair_connect(
		    &pair, tlsctx_client_new(gateway.client, TLSCTX_CONTROL, "ftp.example", NULL)));
		assert_false(SSL_session_reused(pair.client));
		session = tlsctx_client_session(pair.client);
		assert_non_null(session);
		pair_drop(&pair);
		for (int again = 0; again < 3; again++) {
			assert_true(pair_connect(
			    &pair, tlsctx_client_new(gateway.client, TLSCTX_DATA, "ftp.example", session)));
			assert_true(SSL_session_reused(pair.client));
			pair_drop(&pair);
		}
		SSL_SESSION_free(session);
		pair_close(&pair);
	}
	gateway_close(&gateway);
	certificate_done(&certificate);
}

static void test_no_resumption(void **state)
{
	struct gateway gateway = { .ring = { .trust = trust_path } };
	struct certificate certificate = certificate_make(&(struct certificate_setup){
	    .name = "p", .san = "DNS:ftp.example", .serial = 1, .issuer = &trusted });
	struct pair pair;
	SSL_SESSION *session;

	(void)state;
	gateway_open(&gateway);
	pair_open(&pair, &certificate, TLS1_3_VERSION);
	assert_true(
	    pair_connect(&pair, tlsctx_client_new(gateway.client, TLSCTX_CONTROL, "ftp.example", NULL)));
	session = tlsctx_client_session(pair.client);
	pair_drop(&pair);
	gateway.action.session_timeout_s = 0;
	assert_true(
	    pair_connect(&pair, tlsctx_client_new(gateway.client, TLSCTX_DATA, "ftp.example", session)));
	assert_false(SSL_session_reused(pair.client));
	SSL_SESSION_free(session);
	pair_close(&pair);
	gateway_close(&gateway);
	certificate_done(&certificate);
}

static int accept_any(X509_STORE_CTX *verify, void *arg)
{
	(void)verify, (void)arg;
	return 1;
}

/* A server that asks for a certificate gets that of the key ring. */
static void test_client_certificate(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	char chain[TEMPORARY_PATH], key[TEMPORARY_PATH];
	struct policy_certificate shown = { .chain = chain, .key = key };
	struct gateway gateway = { .ring = {
				       .trust = trust_path, .certificates = &shown, .ncertificates = 1 } };
	struct certificate ours = certificate_make(
	    &(struct certificate_setup){ .name = "gateway", .serial = 3, .issuer = &trusted });
	struct certificate certificate = certificate_make(&(struct certificate_setup){
	    .name = "p", .san = "DNS:ftp.example", .serial = 1, .issuer = &trusted });
	FILE *file = certificate_file(chain, "chain.pem");

	(void)state;
	assert_int_equal(PEM_write_X509(file, ours.x509), 1);
	assert_int_equal(fclose(file), 0);
	file = certificate_file(key, "key.pem");
	assert_int_equal(PEM_write_PrivateKey(file, ours.key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
	gateway_open(&gateway);
	for (size_t i = 0; i < NELEM(versions); i++) {
		struct pair pair;
		X509 *got;

		pair_open(&pair, &certificate, versions[i]);
		SSL_CTX_set_verify(pair.ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		SSL_CTX_set_cert_verify_callback(pair.ctx, accept_any, NULL);
		assert_true(pair_connect(
		    &pair, tlsctx_client_new(gateway.client, TLSCTX_CONTROL, "ftp.example", NULL)));
		got = SSL_get0_peer_certificate(pair.server);
		assert_non_null(got);
		assert_int_equal(X509_cmp(got, ours.x509), 0);
		pair_close(&pair);
	}
	gateway_close(&gateway);
	certificate_done(&ours);
	certificate_done(&certificate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_the_name_is_sent),
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_no_resumption),
		cmocka_unit_test(test_client_certificate),
	};

	return cmocka_run_group_tests(tests, make_authorities, drop_authorities);
}
