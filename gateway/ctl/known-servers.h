/*
 * FTP servers by what they say in their greeting and in their answer to SYST.
 */
#ifndef ATTLSD_GATEWAY_CTL_KNOWN_SERVERS_H
#define ATTLSD_GATEWAY_CTL_KNOWN_SERVERS_H

struct known_server {
	const char *name;
	const char *greeting; /* a part of it; "": proves nothing */
	const char *syst;     /* likewise */
	unsigned line_max;    /* bytes of the longest command line that it reads as one, without CRLF */
	const char *seen;     /* what an administrator should know */
};

/* Both texts as the server sent them; syst may be "". NULL: an unknown server. */
const struct known_server *known_server_find(const char *greeting, const char *syst);

#endif
