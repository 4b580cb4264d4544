/* Names habits, and checks those that come from another process. */
#include "gateway/base/habits.h"

#include <string.h>

_Static_assert(HABIT_COUNT < 64, "habits are bits of a number");
_Static_assert(sizeof(((struct habits *)NULL)->would_line) == HABIT_WOULD_COUNT * sizeof(uint32_t),
	       "a line for each key");

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Nothing but zeros after its end, either: texts are compared as keys. */
static bool is_sound(const char *text, size_t size)
{
	const char *end = memchr(text, '\0', size);

	if (end == NULL)
		return false;
	for (const char *c = text; c < end; c++)
		if (is_control(*c))
			return false;
	for (const char *c = end; c < text + size; c++)
		if (*c != '\0')
			return false;
	return true;
}

bool habits_are_sound(const struct habits *habits)
{
	return habits->seen >> HABIT_COUNT == 0 && habits->data_resumed <= habits->data_tls &&
	       is_sound(habits->software, sizeof(habits->software)) &&
	       is_sound(habits->ja4, sizeof(habits->ja4)) && is_sound(habits->user, sizeof(habits->user)) &&
	       is_sound(habits->subject, sizeof(habits->subject)) &&
	       is_sound(habits->group, sizeof(habits->group)) && is_sound(habits->rule, sizeof(habits->rule));
}

void habits_copy(char *to, size_t size, const char *text, size_t len)
{
	memset(to, 0, size);
	if (len > size - 1)
		len = size - 1;
	for (size_t i = 0; i < len && text[i] != '\0'; i++)
		to[i] = is_control(text[i]) ? '?' : text[i];
}

const char *habit_name(enum habit habit)
{
	static const char *const names[] = {
#define HABIT(id, name) [HABIT_##id] = (name),
#include "gateway/base/habits.def"
#undef HABIT
	};

	return habit < HABIT_COUNT ? names[habit] : "";
}
