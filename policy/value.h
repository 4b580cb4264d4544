/*
 * Parses one value of a policy: numbers, durations, ports, endpoints.
 *
 * Every function returns 0, -EINVAL (wrong syntax) or -ERANGE (the syntax is
 * right but the number is out of range), and sets its result only if it returns 0.
 * The text need not be terminated.
 */
#ifndef ATTLSD_POLICY_VALUE_H
#define ATTLSD_POLICY_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ftp-action.h"
#include "policy/ip.h"

/* A decimal number. A leading zero is refused, since it would mean octal elsewhere. */
int value_uint(const char *text, size_t len, uint64_t *ret_value);

/* "true" or "false" in any case. */
int value_bool(const char *text, size_t len, bool *ret_value);

/* A number followed by ms, s, m, h or d; a number without a unit counts bare_unit_ms milliseconds. */
int value_duration(const char *text, size_t len, uint64_t bare_unit_ms, uint64_t *ret_ms);

/* "low-high" or z/OS's "(low,high)": two ports with low <= high (else -ERANGE). */
int value_port_range(const char *text, size_t len, struct port_range *ret_range);

/* "address:port" or "[v6 address]:port"; port 0 is allowed. */
int value_endpoint(const char *text, size_t len, struct ip_endpoint *ret_endpoint);

/*
 * "host:port" where host is an address ([v6]) or a host name. *ret_host points
 * into text, without the brackets; for a name, the endpoint's family is IP_NONE.
 */
int value_host_port(const char *text, size_t len, const char **ret_host, size_t *ret_host_len,
		    struct ip_endpoint *ret_endpoint);

/* The same without a port. */
int value_bare_host(const char *text, size_t len, const char **ret_host, size_t *ret_host_len,
		    struct ip_addr *ret_addr);

/* A host name, which is not an address. */
bool value_is_host(const char *text, size_t len);

/* 1 to 32 of A-Z a-z 0-9 _ . - */
#define VALUE_NAME_MAX 32
bool value_is_name(const char *text, size_t len);
/* The same with another maximum. */
bool value_is_long_name(const char *text, size_t len, size_t max);

#endif
