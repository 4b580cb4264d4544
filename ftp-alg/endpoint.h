/*
 * Addresses and ports in FTP: PORT and EPRT arguments, 227 and 229 texts
 * (RFC 959 4.1.2, RFC 1123 4.1.2.6, RFC 2428). Parse and format, nothing else:
 * whether an address may be used is decided by the machine.
 */
#ifndef ATTLSD_FTP_ALG_ENDPOINT_H
#define ATTLSD_FTP_ALG_ENDPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "policy/ip.h"

/* Room for any text that this file formats, with its NUL. */
#define FTP_ENDPOINT_TEXT_MAX 96

/*
 * "h1,h2,h3,h4,p1,p2": exactly six decimal numbers of 1 to 3 digits, 0..255,
 * commas between them, blanks tolerated around the whole only. Returns 0 or
 * -EINVAL. Port 0 parses; the caller has to refuse it.
 */
int ftp_port_parse(const char *arg, size_t len, struct ip_endpoint *ret_endpoint);

/*
 * "<d>af<d>address<d>port<d>" with any printable delimiter d (33..126).
 * Returns 0; -EINVAL for bad syntax; -EAFNOSUPPORT when af is neither 1 nor 2
 * (RFC 2428: 522). An address that does not fit its af is -EINVAL. A mapped
 * IPv6 address comes out as IPv4 (see policy/ip.h).
 */
int ftp_eprt_parse(const char *arg, size_t len, struct ip_endpoint *ret_endpoint);

/*
 * The six numbers of a 227 reply, anywhere in `text` (the part after the
 * code): parentheses are not guaranteed. Takes the first place where six
 * numbers 0..255 stand with commas between them; if there is none, the first one
 * with blanks around the commas. Returns 0 or -EINVAL.
 */
int ftp_227_parse(const char *text, size_t len, struct ip_endpoint *ret_endpoint);

/*
 * The port of a 229 reply, "(<d><d><d>port<d>)" somewhere in `text`. If that is
 * not there: with blanks inside, with a family and an address (which are not
 * looked at), or with "|" and no parentheses. Returns 0 or -EINVAL (also for port
 * 0 and > 65535).
 */
int ftp_229_parse(const char *text, size_t len, uint16_t *ret_port);

/*
 * Format into buf and return buf. The canonical forms, which helpers in
 * firewalls can parse: "PORT h,h,h,h,p,p" and "EPRT |1|addr|port|" commands,
 * "227 Entering Passive Mode (h,h,h,h,p,p)." and
 * "229 Entering Extended Passive Mode (|||port|)" replies, no line end.
 * PORT and 227 need an IPv4 address (asserted).
 */
const char *ftp_port_format(const struct ip_endpoint *ep, char buf[static FTP_ENDPOINT_TEXT_MAX]);
const char *ftp_eprt_format(const struct ip_endpoint *ep, char buf[static FTP_ENDPOINT_TEXT_MAX]);
const char *ftp_227_format(const struct ip_endpoint *ep, char buf[static FTP_ENDPOINT_TEXT_MAX]);
const char *ftp_229_format(uint16_t port, char buf[static FTP_ENDPOINT_TEXT_MAX]);

#endif
