/*
 * Regular expressions for the JSON schema of a policy, in the part of the language that
 * ECMA-262 and Python share. Each is written without anchors and as one unit.
 */
#ifndef ATTLSD_GATEWAY_CTL_SCHEMA_PATTERN_H
#define ATTLSD_GATEWAY_CTL_SCHEMA_PATTERN_H

#include <stdint.h>
#include <stdio.h>

/* The decimal numbers low..high without leading zeros. */
void schema_pattern_range(FILE *out, uint64_t low, uint64_t high);

/* This text, with its letters in any case. */
void schema_pattern_word(FILE *out, const char *word);

#endif
