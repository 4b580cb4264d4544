/* Prints the JSON of attlsctl's commands, all in one layout. */
#include "gateway/view/json-print.h"

#include <jansson.h>

int json_print(json_t *json, FILE *out)
{
	int r = json == NULL ? -1 : json_dumpf(json, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));

	json_decref(json);
	return r == 0 && fputc('\n', out) != EOF ? 0 : -1;
}
