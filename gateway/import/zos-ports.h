/* Ports of data connections, once all listeners are known. */
#ifndef ATTLSD_GATEWAY_IMPORT_ZOS_PORTS_H
#define ATTLSD_GATEWAY_IMPORT_ZOS_PORTS_H

#include "gateway/import/zos.h"

void zos_ports(struct zos *zos);

#endif
