/* What attlsctl check --json prints: diagnostics of the language server protocol, version 3.17. */
#ifndef ATTLSD_GATEWAY_CTL_CHECK_JSON_H
#define ATTLSD_GATEWAY_CTL_CHECK_JSON_H

#include <stdbool.h>
#include <stdio.h>

#include "policy/diag.h"

/*
 * Print a line for each file: the parameters of textDocument/publishDiagnostics. The policy comes
 * first, also without a fault. `notes`: notes, too. Returns 0, or -1: no memory, or `out` has an error.
 */
int check_json_print(const struct diags *diags, bool notes, FILE *out);

#endif
