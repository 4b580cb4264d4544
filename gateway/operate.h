/*
 * attlsctl's end of control_socket: ask the attlsd that runs, print what it
 * answers. All return attlsctl's exit status, and have said on stderr what went
 * wrong.
 */
#ifndef ATTLSD_GATEWAY_OPERATE_H
#define ATTLSD_GATEWAY_OPERATE_H

#include <stdbool.h>
#include <stdint.h>

int operate_status(const char *socket_path, bool json);
int operate_sessions(const char *socket_path, bool json);
int operate_end(const char *socket_path, uint64_t session);
/* Checks the file first that attlsd would read: a policy with faults is not even tried. */
int operate_reload(const char *socket_path);
int operate_drain(const char *socket_path);

#endif
