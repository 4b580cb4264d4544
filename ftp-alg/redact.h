/*
 * REPLYSECURITYLEVEL 1: no IP address, port, host name or system level in a
 * reply (z/OS FTP.DATA). The gateway makes 227 and 229 itself; this is not for them.
 */
#ifndef ATTLSD_FTP_ALG_REDACT_H
#define ATTLSD_FTP_ALG_REDACT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Copy a reply line with addresses (192.0.2.1, 2001:db8::1, with or without
 * :port or ,port), "port 2121", and the host part of mail addresses replaced by
 * "-". In replies that name no files (greetings, logins, status, goodbye; by
 * code) names of the form a.b.c are replaced, too. An address that is only part of a longer word stays, since
 * that may be a file name. Returns the length, at most size; out never needs more room than the line.
 */
size_t ftp_redact(uint16_t code, const char *line, size_t len, char *out, size_t size);

/*
 * The answer to SYST without a level: the system's name (its first word) and,
 * when there, the "Type: L8" that clients look for.
 */
size_t ftp_redact_syst(const char *text, size_t len, char *out, size_t size);

#endif
