/* Data sets of fixed-length records, LRECL 80, and their sequence numbers. */
#ifndef ATTLSD_GATEWAY_IMPORT_RECORDS_H
#define ATTLSD_GATEWAY_IMPORT_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Columns 73 to 80 have the sequence number. */
#define RECORDS_LRECL	 80
#define RECORDS_SEQUENCE 72

/*
 * If the text consists of records of 80 characters without line ends, give it line ends. Returns true if
 * it did, then *text is new; both are for free().
 */
bool records_split(char **text, size_t *len);

/* If each line that is longer than 72 characters ends with eight digits in columns 73 to 80, blank them. */
bool records_blank_numbers(char *text, size_t len);

#endif
