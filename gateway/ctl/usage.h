/*
 * Wrong usage of attlsctl.
 */
#ifndef ATTLSD_GATEWAY_CTL_USAGE_H
#define ATTLSD_GATEWAY_CTL_USAGE_H

#define EXIT_USAGE 2

/*
 * Print to stderr what is wrong with an argument ("": with none in particular).
 * Returns EXIT_USAGE.
 */
int usage_fault(const char *what, const char *which);

#endif
