/* attlsctl's command schema. */
#ifndef ATTLSD_GATEWAY_CTL_SCHEMA_COMMAND_H
#define ATTLSD_GATEWAY_CTL_SCHEMA_COMMAND_H

/* Print the JSON schema of a policy. Returns an exit status. */
int schema_command(void);

#endif
