/*
 * Editing a FEAT reply (RFC 2389 3.2, RFC 4217 6): the server knows nothing of
 * TLS or Kerberos, so its list loses every line about security and addresses and gains what
 * the gateway offers. Line by line, no buffer.
 */
#ifndef ATTLSD_FTP_ALG_FEAT_H
#define ATTLSD_FTP_ALG_FEAT_H

#include <stdbool.h>
#include <stddef.h>

/* Feature bits that the gateway may announce. */
#define FTP_FEAT_AUTH	     1u /* " AUTH TLS" */
#define FTP_FEAT_PBSZ	     2u
#define FTP_FEAT_PROT	     4u
#define FTP_FEAT_CCC	     8u
#define FTP_FEAT_EPSV	     16u
#define FTP_FEAT_EPRT	     32u
#define FTP_FEAT_AUTH_GSSAPI 64u
#define FTP_FEAT_HOST	     128u /* RFC 7151 3.1 */
#define FTP_FEAT_ALL	     255u

/*
 * Does the client get this line of a server's FEAT list (no line end; leading blanks
 * and "211-" may be missing)? False for AUTH, ADAT, PBSZ, PROT, CCC, MIC, CONF, ENC,
 * SSCN, CPSV, EPSV, EPRT, LPSV, LPRT, ESTA, ESTP, SPAS, SPOR, GETPUT, PARALLEL, in
 * any case, with any parameters, and for MODE with another letter than S or Z.
 */
bool ftp_feat_keep(const char *line, size_t len);

/* Where the feature's name begins in such a line. */
size_t ftp_feat_name(const char *line, size_t len);

/*
 * The n-th line (from 0) that the gateway adds for these bits, with its one
 * leading blank and no line end, or NULL after the last one.
 */
const char *ftp_feat_line(unsigned features, size_t n);

#endif
