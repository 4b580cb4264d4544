/* The part of `attlsctl status` about servers: which ways to a data connection work with each. */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_SERVERS_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_SERVERS_H

#include <jansson.h>
#include <stdio.h>

struct answers; /* client-answers.h */

/* Prints nothing if no server is known. */
void client_servers_print(const struct answers *answers, FILE *out);

/* A list, or NULL: no memory. */
json_t *client_servers_json(const struct answers *answers);

#endif
