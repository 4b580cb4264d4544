/* The tables of users: their certificates and principals, and what they may do. */
#include "policy/schema-users.h"

#include "policy/schema-table.h"

#define PATH_MAX_LEN 4095

#define CERTIFICATE_PART(name, part, longest)                                                                \
	{                                                                                                    \
		.key = name, .type = FIELD_STRING, PTR(policy_user_certificate, text[part]),                 \
		MARK(policy_user_certificate, marks[part]), .min = 1, .max = longest                         \
	}
static const struct field user_certificate_fields[] = {
	CERTIFICATE_PART("subject", CERTIFICATE_SUBJECT, 1024),
	CERTIFICATE_PART("issuer", CERTIFICATE_ISSUER, 1024),
	CERTIFICATE_PART("serial", CERTIFICATE_SERIAL, 128),
	CERTIFICATE_PART("sha256", CERTIFICATE_SHA256, 128),
	CERTIFICATE_PART("san", CERTIFICATE_SAN, 1024),
	{ 0 },
};
static const struct schema user_certificate_schema = { .fields = user_certificate_fields,
						       .size = sizeof(struct policy_user_certificate),
						       .mark_offset =
							   offsetof(struct policy_user_certificate, mark) };

static const struct field user_fields[] = {
	{ .key = "certificates",
	  .type = FIELD_LIST,
	  PTR(policy_user, certificates),
	  COUNT(policy_user, ncertificates),
	  .sub = &user_certificate_schema },
	{ .key = "principals",
	  .type = FIELD_PRINCIPALS,
	  PTR(policy_user, principals),
	  COUNT(policy_user, nprincipals) },
	{ .key = "services",
	  .type = FIELD_REFS,
	  PTR(policy_user, services),
	  COUNT(policy_user, nservices),
	  .section = "backends" },
	{ .key = "password_file",
	  .type = FIELD_PATH,
	  PTR(policy_user, password_file),
	  MARK(policy_user, password_file_mark),
	  .min = 1,
	  .max = PATH_MAX_LEN },
	{ 0 },
};
const struct schema schema_user = { .fields = user_fields,
				    .size = sizeof(struct policy_user),
				    .name_offset = offsetof(struct policy_user, name),
				    .mark_offset = offsetof(struct policy_user, mark) };
