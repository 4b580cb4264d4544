/* FTP.DATA of the z/OS FTP server: ftp_actions, and with native TLS tls_actions. */
#ifndef ATTLSD_GATEWAY_IMPORT_ZOS_SERVER_H
#define ATTLSD_GATEWAY_IMPORT_ZOS_SERVER_H

#include "gateway/import/zos.h"

/* Makes ftp_actions.zos. Without FTP.DATA, it has z/OS's reply codes and attlsd's defaults. */
void zos_server_ftp(struct zos *zos);

/* Makes tls_actions.zos from FTP.DATA alone, for a server without rules of AT-TLS. */
void zos_server_tls(struct zos *zos);

#endif
