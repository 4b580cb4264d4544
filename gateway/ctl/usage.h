/*
 * Wrong usage of attlsctl.
 */
#ifndef ATTLSD_GATEWAY_CTL_USAGE_H
#define ATTLSD_GATEWAY_CTL_USAGE_H

#define EXIT_USAGE 2

/* Say on stderr what is wrong with which argument ("": with none). Returns EXIT_USAGE. */
int usage_fault(const char *what, const char *which);

#endif
