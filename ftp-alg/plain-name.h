/* Names of users and hosts that mean the same to every server. */
#ifndef ATTLSD_FTP_ALG_PLAIN_NAME_H
#define ATTLSD_FTP_ALG_PLAIN_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Would every server read this name as it is? */
bool ftp_name_is_plain(const char *name, size_t len);

#endif
