/*
 * A distinguished name from its text (RFC 2253 section 3, with what section 4
 * adds), for comparison with the subjects of certificates.
 */
#ifndef ATTLSD_GATEWAY_TLS_IDENTITY_NAME_H
#define ATTLSD_GATEWAY_TLS_IDENTITY_NAME_H

struct X509_name_st;

/*
 * Attribute types are the names that OpenSSL knows (in any case for the common
 * ones) or object identifiers. Refused are empty names, unknown types and
 * values with a NUL. Returns 0 and a name (to be freed with X509_NAME_free()),
 * -EINVAL or -ENOMEM.
 */
int identity_name_parse(const char *text, struct X509_name_st **ret_name);

#endif
