/*
 * What a worker remembers of the servers that its sessions go to: which ways to
 * a data connection work. It ages, and a reload, which starts new workers,
 * forgets it.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SERVER_MEMORY_H
#define ATTLSD_GATEWAY_WORKER_SERVER_MEMORY_H

#include <stdint.h>

#include "ftp-alg/ftp-alg.h"
#include "policy/ip.h"

/*
 * What was seen of a way counts for so long: a server that was mended is used
 * in full soon, and one that refuses hears a vain question now and then only.
 */
#define SERVER_MEMORY_MINUTES 10

/* More servers than this (`address: original` may lead to many): those that were left longest ago go. */
#define SERVERS_REMEMBERED 128

struct server_memory {
	struct ip_endpoint server; /* port 0: this place is free */
	uint32_t backend;	   /* its place in the policy */
	uint32_t users;		   /* sessions that have `ways` */
	uint32_t left_min;	   /* since the last of them left */
	struct ftp_ways ways;
	uint8_t age_min[FTP_MODES]; /* of what is known of each way */
};

struct server_memories {
	struct server_memory entries[SERVERS_REMEMBERED];
};

/* For a session that begins. NULL: all places have sessions; then nothing is remembered. */
struct ftp_ways *server_memory_enter(struct server_memories *memories, uint32_t backend,
				     const struct ip_endpoint *server);

/* For the same session when it ends; ways may be NULL. */
void server_memory_leave(struct ftp_ways *ways);

/* How many minutes ago a way (an FTP_MODE_ bit) was last seen, to within one; 0: less than one. */
uint8_t server_memory_minutes(const struct server_memory *memory, uint8_t mode);

/* A minute has passed. */
void server_memory_age(struct server_memories *memories);

#endif
