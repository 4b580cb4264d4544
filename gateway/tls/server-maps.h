/*
 * The files of `server_map`, with their certificates compiled. The process that loads a policy reads them;
 * monitor and workers get their texts from it, so that all workers of a generation have the same.
 */
#ifndef ATTLSD_GATEWAY_TLS_SERVER_MAPS_H
#define ATTLSD_GATEWAY_TLS_SERVER_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/tls/identity.h"
#include "policy/policy.h"

struct server_maps;
struct tlsctx_set;

/* Read the files into the policy. Returns 0, -EINVAL (diags says why) or -ENOMEM. */
int server_maps_read(struct policy *policy, struct diags *diags);

/* From the texts of the policy, or else from the files. Returns likewise. Before chroot. */
int server_maps_load(const struct policy *policy, struct diags *diags, struct server_maps **ret_maps);
void server_maps_free(struct server_maps **maps);

/* Do certificates say enough for the authorities that the key rings trust? Faults go into diags. */
void server_maps_check(const struct server_maps *maps, const struct policy *policy,
		       const struct tlsctx_set *set, struct diags *diags);

/* The texts of a policy in one piece, as in pkcs12-parts.h. */
size_t server_maps_size(const struct policy *policy);
void server_maps_get(const struct policy *policy, char *buf);
int server_maps_set(struct policy *policy, const char *buf, size_t len);
int server_maps_copy(const struct policy *from, struct policy *to);

/* Does HOST decide at this backend? */
bool server_maps_take_host(const struct server_maps *maps, const struct policy_backend *backend);

/* Who logs in. NULL: unknown. */
struct server_map_client {
	const char *user;
	size_t user_len;
	const char *host, *sni;
	const struct identity *identity;
};

/* The first entry that fits; there always is one. The backend has a map. */
const struct server_map_entry *server_maps_find(const struct server_maps *maps,
						const struct policy_backend *backend,
						const struct server_map_client *client);

#endif
