/* `attlsctl report shut-out`: who would be shut out if audited rules were enforced. */
#ifndef ATTLSD_GATEWAY_VIEW_SHUT_OUT_REPORT_H
#define ATTLSD_GATEWAY_VIEW_SHUT_OUT_REPORT_H

#include <stdint.h>
#include <stdio.h>

struct answers;

/* Those who were seen since then, in seconds since 1970. */
void shut_out_report_print(const struct answers *answers, uint64_t since_s, uint64_t now_s, FILE *out);
int shut_out_report_json(const struct answers *answers, uint64_t since_s, FILE *out);

#endif
