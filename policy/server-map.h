/*
 * The file of `server_map`: which server of a backend a login gets, by its user, HOST (RFC 7151), SNI or
 * certificate. One entry a line, the first that fits counts:
 *
 *     user VALUE SERVER
 *     host VALUE SERVER
 *     sni VALUE SERVER
 *     certificate VALUE SERVER
 *     * SERVER
 *
 * SERVER is one of the backend's `addresses`, as written there, or "balance". Every map has
 * the last line, which is for all other clients. So a client cannot find out whether it has an entry.
 */
#ifndef ATTLSD_POLICY_SERVER_MAP_H
#define ATTLSD_POLICY_SERVER_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/types.h"

#define SERVER_MAP_BYTES_MAX   (1024 * 1024)
#define SERVER_MAP_ENTRIES_MAX 10000
#define SERVER_MAP_FAULTS_MAX  10 /* messages about one file; further faults are not reported */
#define SERVER_MAP_VALUE_MAX   1000

/* In place of a server's index: the backend's `balance` chooses among all of them. */
#define SERVER_MAP_BALANCE UINT32_MAX

enum server_map_kind {
	SERVER_MAP_USER = 0,
	SERVER_MAP_HOST,
	SERVER_MAP_SNI,
	SERVER_MAP_CERTIFICATE,
	SERVER_MAP_OTHERS,
	SERVER_MAP_KINDS
};

struct server_map_entry {
	enum server_map_kind kind;
	char *value;	 /* "" of SERVER_MAP_OTHERS */
	uint32_t server; /* its index in the backend, or SERVER_MAP_BALANCE */
	uint32_t line;
};

struct server_map {
	struct server_map_entry *entries; /* as in the file */
	size_t n;
	bool has[SERVER_MAP_KINDS]; /* is there any of this kind? */
};

/* Add a fault of the file at this line (0: no line in particular) to diags. */
void server_map_fault(const struct policy_backend *backend, struct diags *diags, uint32_t line,
		      const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Parse the text of the backend's file. Returns 0, -EINVAL (diags says why: place, cause and fix) or
 * -ENOMEM. Values of certificates are taken as they are.
 */
int server_map_parse(const char *text, size_t len, const struct policy_backend *backend, struct diags *diags,
		     struct server_map **ret_map);
void server_map_free(struct server_map **map);

/* "user" and so on. */
const char *server_map_kind_name(enum server_map_kind kind);

/* Is this value the entry's? Names of users, hosts and SNI count in any case (of ASCII). Not for
 * certificates.
 */
bool server_map_fits(const struct server_map_entry *entry, const char *value, size_t len);

#endif
