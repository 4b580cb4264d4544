/*
 * FTCHKPWD: the question whether a user may log in, and its answer. A worker sends the monitor
 * what it knows in a few messages (login_part), the monitor adds what it knows itself and asks
 * the socket of the policy (login_check), and the answer comes from there as a line of text.
 */
#ifndef ATTLSD_GATEWAY_BASE_LOGIN_QUESTION_H
#define ATTLSD_GATEWAY_BASE_LOGIN_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGIN_USER_MAX	  255
#define LOGIN_SUBJECT_MAX 1023
#define LOGIN_HASH_BYTES  32

/* What the worker knows. All zero besides the user: no TLS, no certificate, no ticket of Kerberos. */
struct login_question {
	char user[LOGIN_USER_MAX + 1];
	char subject[LOGIN_SUBJECT_MAX +
		     1];  /* of the certificate, or the principal; "": none, or it is longer */
	bool certificate; /* the client has shown one */
	bool kerberos;	  /* it has authenticated with AUTH GSSAPI instead */
	uint8_t sha256[LOGIN_HASH_BYTES]; /* of it */
	uint16_t version, cipher;	  /* as TLS numbers them; 0: no TLS */
};

/* MSG_LOGIN_CHECK: a piece of user and subject, with a NUL after each; the last one has the rest. */
#define LOGIN_PART_TEXT 200
struct login_part {
	uint8_t sha256[LOGIN_HASH_BYTES];
	uint16_t version, cipher;
	uint8_t certificate, kerberos, last, len;
	char text[LOGIN_PART_TEXT];
};

/* Make the next part from byte `*at` on, which begins at 0. False: the one before was the last. */
bool login_question_part(const struct login_question *question, size_t *at, struct login_part *ret_part);

/* Parts that have come so far. All zero: none. */
struct login_joined {
	size_t len;
	char text[LOGIN_USER_MAX + 1 + LOGIN_SUBJECT_MAX + 1];
};

/* Add the next part. Returns 1: the question is whole; 0: more must follow; -EPROTO: no worker sends that. */
int login_question_join(struct login_joined *joined, const struct login_part *part,
			struct login_question *ret_question);

/* May a user of this name be asked about: UTF-8 without control characters, of 1 to LOGIN_USER_MAX bytes? */
bool login_user_is_sound(const char *user, size_t len);

/* What the monitor knows. */
struct login_facts {
	uint64_t session;
	const char *client, *listener, *rule, *backend;
};

/* The question as a line of JSON, without a newline. Returns its length. */
#define LOGIN_JSON_MAX 8192
size_t login_question_json(const struct login_question *question, const struct login_facts *facts,
			   char buf[static LOGIN_JSON_MAX]);

enum login_verdict {
	LOGIN_NO_ANSWER = 0, /* or one that is none: the user is not let in */
	LOGIN_ALLOWED,
	LOGIN_DENIED,
};

/* MSG_LOGIN_CHECKED: the text of a denial, one line of UTF-8 without control characters; "": none. */
#define LOGIN_TEXT_MAX 128
struct login_answer {
	char text[LOGIN_TEXT_MAX];
};

/* "allow", "deny" or "deny TEXT", with a line feed at its end or without. */
#define LOGIN_ANSWER_BYTES 512
enum login_verdict login_answer_parse(const char *bytes, size_t len, struct login_answer *ret_answer);

#endif
