/* Prints what goes into `users` for a certificate. */
#ifndef ATTLSD_GATEWAY_CTL_CERTIFICATE_H
#define ATTLSD_GATEWAY_CTL_CERTIFICATE_H

/* For the first certificate of a file, PEM or DER. Returns the exit status, after printing what went wrong.
 */
int certificate_print(const char *path);

#endif
