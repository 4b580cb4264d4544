/*
 * A worker's memory of servers: which ways to a data connection work with each. An
 * entry about a way expires after SERVER_MEMORY_MINUTES. A reload starts new workers
 * with an empty memory.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SERVER_MEMORY_H
#define ATTLSD_GATEWAY_WORKER_SERVER_MEMORY_H

#include <stdint.h>

#include "ftp-alg/ftp-alg.h"
#include "policy/ip.h"

/*
 * How long the result of a way counts. Short enough to notice soon that a server
 * has been fixed, and long enough to send refused commands only rarely.
 */
#define SERVER_MEMORY_MINUTES 10

/* The limit (`address: original` may lead to many servers). Beyond it, the server that was unused longest is
 * dropped. */
#define SERVERS_REMEMBERED 128

struct server_memory {
	struct ip_endpoint server; /* port 0: this place is free */
	uint32_t backend;	   /* its place in the policy */
	uint32_t users;		   /* sessions that use `ways` */
	uint32_t left_min;	   /* minutes since the last of them ended */
	struct ftp_ways ways;
	uint8_t age_min[FTP_MODES]; /* minutes since each way was last used */
};

struct server_memories {
	struct server_memory entries[SERVERS_REMEMBERED];
};

/* A session begins. NULL: sessions use all places, so this server is not remembered. */
struct ftp_ways *server_memory_enter(struct server_memories *memories, uint32_t backend,
				     const struct ip_endpoint *server);

/* The same session ends; ways may be NULL. */
void server_memory_leave(struct ftp_ways *ways);

/* How many minutes ago a way (an FTP_MODE_ bit) was last used; 0: less than one. */
uint8_t server_memory_minutes(const struct server_memory *memory, uint8_t mode);

/* A minute has passed. */
void server_memory_age(struct server_memories *memories);

#endif
