/*
 * Sends the PROXY header to the server, which names the client and describes its
 * TLS, on the control connection and, by policy, on data connections.
 */
#include "gateway/worker/proxy-out.h"

#include "gateway/net/proxy-header.h"
#include "gateway/net/stream-tls.h"

bool proxy_peer_may_dial(const struct facts *facts, const struct ip_addr *peer)
{
	return facts->proxied && facts->listener->proxy_data && policy_is_proxy(facts->listener, peer);
}

static size_t make_v2(const struct facts *facts, const struct stream *client,
		      uint8_t buf[static PROXY_HEADER_MAX])
{
	char alpn[STREAM_TLS_ALPN_MAX], name[IDENTITY_NAME_MAX];
	struct proxy_facts known = { .tls = NULL };

	if (stream_tls_level(client) != SECURE_CLEAR)
		known = (struct proxy_facts){
			.authority = stream_tls_server_name(client),
			.alpn = stream_tls_alpn(client, alpn),
			.tls = stream_tls_version(client),
			.cipher = stream_tls_cipher(client),
			.certificate = facts->identity.present,
			.verified = facts->identity.verified,
			.common_name = identity_common_name(&facts->identity, name),
		};
	return proxy_header_v2(&facts->remote, &facts->local, &known, buf);
}

void proxy_out_send(const struct facts *facts, const struct stream *client, struct stream *stream)
{
	uint8_t header[PROXY_HEADER_MAX];
	size_t len = 0;

	switch (facts->rule->backend->proxy) {
	case BACKEND_PROXY_NONE:
		return;
	case BACKEND_PROXY_V1:
		len = proxy_header_v1(&facts->remote, &facts->local, header);
		break;
	case BACKEND_PROXY_V2:
		len = make_v2(facts, client, header);
		break;
	}
	(void)stream_write(stream, header, len); /* the next read sees a broken stream */
}
