/* Receives answers of a running attlsd. */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_RECEIVE_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_RECEIVE_H

#include <sys/types.h>

#include "gateway/base/ctl-proto.h"

/*
 * Receive one packet from a socket that has SO_PASSCRED. Returns its size (more than that of
 * an answer if it was cut), 0 at the end, or -1 with errno. *ret_sender is its process
 * according to the kernel; 0: one that is not visible from here.
 */
ssize_t client_receive(int fd, struct answer *ret, pid_t *ret_sender);

#endif
