/* Private keys in PEM files, with a password or without. */
#ifndef ATTLSD_GATEWAY_TLS_KEY_FILE_H
#define ATTLSD_GATEWAY_TLS_KEY_FILE_H

#include "policy/policy.h"

struct evp_pkey_st;

/* The key of this entry of a key ring. NULL after a fault, which is in diags. */
struct evp_pkey_st *key_file_load(const struct policy_certificate *from, struct diags *diags);

#endif
