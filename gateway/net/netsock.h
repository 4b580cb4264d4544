/*
 * TCP sockets: create, bind, connect, inspect. All of them are non-blocking and
 * close-on-exec. Functions return a descriptor or 0, or a negative errno.
 */
#ifndef ATTLSD_GATEWAY_NET_NETSOCK_H
#define ATTLSD_GATEWAY_NET_NETSOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ftp-action.h"
#include "policy/ip.h"

struct sockaddr;

/*
 * A listening socket on exactly this endpoint. IPv6 sockets take no IPv4.
 * transparent: it takes connections to any address that the firewall hands it
 * (TPROXY; needs CAP_NET_ADMIN).
 */
int netsock_listen(const struct ip_endpoint *endpoint, int backlog, bool transparent);

/* Make a listening socket transparent, or not; it may be either already. */
int netsock_set_transparent(int fd, enum ip_family family, bool transparent);

/* Does an IPv6 socket of another program take IPv4 as well? */
bool netsock_takes_ipv4(int fd);

/*
 * A socket bound to an address that need not be this host's (needs
 * CAP_NET_ADMIN), neither listening nor connected. Port 0: any but avoid_port.
 */
int netsock_bind_transparent(const struct ip_endpoint *endpoint, uint16_t avoid_port);

/*
 * A socket bound to an address of this host, neither listening nor connected. Other
 * sockets may be bound to the same port and connected elsewhere.
 */
int netsock_bind(const struct ip_endpoint *endpoint);

/* Let a bound socket listen, as netsock_listen_range() does. */
int netsock_start_listening(int fd);

/* Connect a bound socket. As netsock_dial(): 0 also when it is under way. */
int netsock_connect(int fd, const struct ip_endpoint *to);

/* A range itself, or the dynamic ports (RFC 6335 6) where it is empty. */
struct port_range netsock_range(struct port_range range);

/* An unpredictable port of `range` (or of the dynamic ports). 0: no random numbers. */
uint16_t netsock_random_port(struct port_range range);

/*
 * A listening socket on a port out of `range` (or of the dynamic ports,
 * 49152-65535, when it is empty), tried in unpredictable order; the kernel's
 * own choice (port 0) gets slow with many sockets in TIME_WAIT. -EADDRINUSE
 * when none is free.
 */
int netsock_listen_range(const struct ip_addr *addr, struct port_range range);

/*
 * Start to connect. `from`: local address to use, or NULL. reset_on_close: as
 * netsock_reset_on_close(), before the connection can stand. The result comes with
 * EPOLLOUT, see netsock_error().
 */
int netsock_dial(const struct ip_endpoint *to, const struct ip_addr *from, bool reset_on_close);

/* Accept one; -EAGAIN when there is none. *ret_peer is the other side. */
int netsock_accept(int fd, struct ip_endpoint *ret_peer);

/* The pending error of a socket as a negative errno, or 0. Ask after EPOLLOUT of a dial. */
int netsock_error(int fd);

/* Was an established connection reset? */
bool netsock_is_reset(int fd);

/* An address of another family than IPv4 and IPv6 gives zeros. */
void netsock_endpoint(const struct sockaddr *address, struct ip_endpoint *ret);

int netsock_local(int fd, struct ip_endpoint *ret_endpoint);
int netsock_peer(int fd, struct ip_endpoint *ret_endpoint);

/* Is an open connection neither ended nor reset by its peer, with nothing received on it? */
bool netsock_is_quiet(int fd);

/* Has the peer closed or reset the connection, with no byte left to read? Reads none. */
bool netsock_has_left(int fd);

/*
 * Options of a control connection: TCP_NODELAY, and urgent data in line, since
 * the DM of Telnet's IAC DM is urgent and a lone IAC would remain otherwise.
 */
void netsock_set_control(int fd);

/* Send one byte as TCP urgent data, with the bytes before it. False: it was not taken. */
bool netsock_send_urgent(int fd, uint8_t byte);

/* TCP keep-alive after idle_s seconds without traffic; 0 leaves it off. */
void netsock_keepalive(int fd, uint32_t idle_s);

/* Have epoll report the socket from `bytes` bytes on (1: any), at its end, or when its window is full. */
void netsock_wake_at(int fd, int bytes);

/*
 * Make close() send RST instead of FIN: the peer must not take what it has for the whole. The kernel
 * does the same when the process dies. Connections that a listening socket accepts inherit it.
 */
void netsock_reset_on_close(int fd);

/* Undo this: close() sends what is queued, then FIN. */
void netsock_fin_on_close(int fd);

/* Bytes written to the socket (and its FIN) that the peer has not acknowledged; 0 also when unknown. */
size_t netsock_unacknowledged(int fd);

#endif
