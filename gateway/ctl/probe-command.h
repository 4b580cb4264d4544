/* `attlsctl probe`. */
#ifndef ATTLSD_GATEWAY_CTL_PROBE_COMMAND_H
#define ATTLSD_GATEWAY_CTL_PROBE_COMMAND_H

#include <stdbool.h>

struct probe_options {
	const char *host;     /* HOST, HOST:PORT or [ADDRESS]:PORT */
	const char *hostname; /* that the certificate must name; NULL: the host */
	const char *trust;    /* file or folder of authorities; NULL: the system's */
	bool implicit;
	bool json;
};

/*
 * Look at a server and print what was seen, with an entry of `backends` for it. Returns
 * an exit status: EXIT_SUCCESS when TLS came up with a server whose certificate verified.
 */
int probe_command(const struct probe_options *options);

#endif
