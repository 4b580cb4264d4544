/* An action of a policy as FTP.DATA. */
#ifndef ATTLSD_GATEWAY_IMPORT_EXPORT_H
#define ATTLSD_GATEWAY_IMPORT_EXPORT_H

#include <stdio.h>

#include "policy/policy.h"

/*
 * Print the statements of the server for one of ftp_actions, or those of the client for one of
 * backends with tls. Returns 0, -ENOENT: the policy has neither, or -ENOTUNIQ: one FTP.DATA cannot
 * say it, and a line in `errors` says why.
 */
int export_ftp_data(const struct policy *policy, const char *name, FILE *out, FILE *errors);

/* The command export. Returns an exit status. */
int export_command(const char *path, const char *name);

#endif
