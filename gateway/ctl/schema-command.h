/* attlsctl's command schema. */
#ifndef ATTLSD_GATEWAY_CTL_SCHEMA_COMMAND_H
#define ATTLSD_GATEWAY_CTL_SCHEMA_COMMAND_H

#include <stdbool.h>

/* Print the JSON schema of a policy, or of the file of a node (attlsd -N). Returns an exit status. */
int schema_command(bool of_node);

#endif
