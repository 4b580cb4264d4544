/* Can this process speak to the kernel's firewall at all? */
#ifndef ATTLSD_GATEWAY_HOST_NFNETLINK_H
#define ATTLSD_GATEWAY_HOST_NFNETLINK_H

/* Returns 0, or the negative errno of the socket that a library would open. */
int nfnetlink_probe(void);

#endif
