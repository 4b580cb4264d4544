/*
 * What one session has shown of its client, for `attlsctl report clients`. A worker gathers
 * it and sends it with MSG_SESSION_END; the monitor adds it to its table.
 */
#ifndef ATTLSD_GATEWAY_BASE_HABITS_H
#define ATTLSD_GATEWAY_BASE_HABITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum habit {
#define HABIT(id, name) HABIT_##id,
#include "gateway/base/habits.def"
#undef HABIT
	HABIT_COUNT
};

/* The last ones in habits.def. */
#define HABIT_WOULD_FIRST HABIT_WOULD_SECURE_FTP
#define HABIT_WOULD_COUNT (HABIT_COUNT - HABIT_WOULD_FIRST)

#define HABIT_BIT(id) (UINT64_C(1) << HABIT_##id)

#define HABITS_SOFTWARE_MAX 40
#define HABITS_JA4_MAX	    37
#define HABITS_NAME_MAX	    65
#define HABITS_GROUP_MAX    20
#define HABITS_RULE_MAX	    33

/* Texts are "" if they are not known, and cut if they are longer. */
struct habits {
	uint64_t seen;	       /* a bit for each enum habit */
	uint32_t data_tls;     /* data connections under TLS, and */
	uint32_t data_resumed; /* of these, those that resumed a session of the control connection */
	char software[HABITS_SOFTWARE_MAX]; /* what the client calls itself (CLNT) */
	char ja4[HABITS_JA4_MAX];	    /* of its first ClientHello */
	char user[HABITS_NAME_MAX];	    /* that has logged in */
	char subject[HABITS_NAME_MAX];	    /* of its certificate */
	char group[HABITS_GROUP_MAX];	    /* of the key exchange */
	char rule[HABITS_RULE_MAX];	    /* that audits */
	/* where its policy gives the keys that would have refused something, counted from 1; 0: nowhere */
	uint32_t would_line[6];
};

/*
 * Habits that came from another process: do they name nothing unknown, and are the texts
 * terminated and without control characters?
 */
bool habits_are_sound(const struct habits *habits);

/* Copy a text of a client, with '?' for control characters. len: of text, which need not end with a NUL. */
void habits_copy(char *to, size_t size, const char *text, size_t len);

/* "ccc" for HABIT_CCC. */
const char *habit_name(enum habit habit);

#endif
