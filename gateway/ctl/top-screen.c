/*
 * Draws `attlsctl top` with curses, in colour unless NO_COLOR asks for none, and with
 * blocks where the terminal has UTF-8. Every text is printable ASCII already.
 */
#include "gateway/ctl/top-screen.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/view/client.h"
#include "gateway/view/session-details.h"

/* Lines around the list: two of title, headings, keys. */
#define LINES_AROUND 4
#define ROWS_MIN     8
#define COLUMNS_MIN  72
/* For the rest of the sequence of a key. */
#define ESCAPE_MS 25

enum { PAIR_ALARM = 1, PAIR_MOVES };

/* Static: curses has one terminal, and a signal handler has to give it back. */
static struct {
	bool utf8, colour, begun;
	struct termios before;
} screen;

static int unfit(const char *why)
{
	(void)fprintf(stderr, "attlsctl: top %s; attlsctl sessions --watch works everywhere\n", why);
	return -1;
}

/* The process is about to end in a signal handler: only write() and tcsetattr() are safe. */
static void give_back(void)
{
	static const char leave[] = "\033[?1049l\033[?25h\033[0m\r\n";

	(void)!write(STDOUT_FILENO, leave, sizeof(leave) - 1);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
}

int top_screen_begin(void)
{
	const char *none = getenv("NO_COLOR"), *name = getenv("TERM");
	int error;

	if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
		return unfit("needs a terminal");
	if (name == NULL || setupterm(NULL, STDOUT_FILENO, &error) == ERR || cursor_address == NULL)
		return unfit("cannot move the cursor of this terminal (TERM)");
	(void)tcgetattr(STDIN_FILENO, &screen.before);
	(void)setlocale(LC_CTYPE, "");
	screen.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	set_escdelay(ESCAPE_MS);
	if (initscr() == NULL)
		return unfit("cannot use this terminal (TERM)");
	screen.begun = true;
	client_before_exit(give_back);
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, TRUE);
	(void)curs_set(0);
	screen.colour = (none == NULL || none[0] == '\0') && has_colors() && start_color() == OK &&
			use_default_colors() == OK;
	if (screen.colour) {
		(void)init_pair(PAIR_ALARM, COLOR_RED, -1);
		(void)init_pair(PAIR_MOVES, COLOR_GREEN, -1);
	}
	return 0;
}

void top_screen_end(void)
{
	if (screen.begun)
		(void)endwin();
	screen.begun = false;
	client_before_exit(NULL);
}

void top_screen_leave(void)
{
	struct termios keys = screen.before;

	(void)endwin();
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &keys);
}

void top_screen_return(void)
{
	(void)tcflush(STDIN_FILENO, TCIFLUSH); /* a key may be several bytes */
	(void)clearok(curscr, TRUE);
	(void)refresh();
}

size_t top_screen_rows(void)
{
	return LINES > LINES_AROUND ? (size_t)(LINES - LINES_AROUND) : 1;
}

size_t top_screen_columns(void)
{
	return (size_t)COLS;
}

static void line_at(int y, const char *text)
{
	(void)mvaddnstr(y, 0, text, COLS);
}

static void draw_list(const struct top_view *view)
{
	size_t rows = top_screen_rows();
	char buf[TOP_ROW_MAX];

	(void)attron(A_REVERSE);
	(void)mvhline(2, 0, ' ', COLS);
	(void)mvaddnstr(2, 0, top_rows_heading((size_t)COLS, buf), COLS);
	(void)attroff(A_REVERSE);
	for (size_t i = 0; i < rows && view->first + i < view->answers->nsessions; i++) {
		const struct answer_session *session = &view->answers->sessions[view->first + i];
		attr_t look = view->first + i == view->selected ? A_REVERSE : A_NORMAL;

		if (screen.colour && session->rate > 0)
			look |= COLOR_PAIR(PAIR_MOVES);
		(void)attrset((int)look);
		(void)mvaddstr((int)i + 3, 0, top_rows_format(session, (size_t)COLS, screen.utf8, buf));
		(void)attrset(A_NORMAL);
	}
}

/* A fact takes as many lines as it needs. */
static void draw_fact(void *context, const char *label, const char *text)
{
	int *y = context;
	size_t width = (size_t)(COLS > 14 ? COLS - 14 : 1);

	if (*y < LINES - 1)
		(void)mvprintw(*y, 0, "%-12s", label);
	do {
		size_t len = strlen(text) < width ? strlen(text) : width;

		if (*y < LINES - 1)
			(void)mvaddnstr((*y)++, 13, text, (int)len);
		text += len;
	} while (*text != '\0');
}

void top_screen_draw(const struct top_view *view)
{
	int y = 2;

	(void)erase();
	if (LINES < ROWS_MIN || COLS < COLUMNS_MIN) {
		line_at(0, "needs 72 columns and 8 lines");
		(void)refresh();
		return;
	}
	(void)attron(A_BOLD);
	line_at(0, view->title);
	(void)attroff(A_BOLD);
	if (view->alarm)
		(void)attron(screen.colour ? (int)COLOR_PAIR(PAIR_ALARM) : (int)A_BOLD);
	line_at(1, view->second);
	(void)attrset(A_NORMAL);
	if (view->details && view->selected < view->answers->nsessions)
		session_details(&view->answers->sessions[view->selected], draw_fact, &y);
	else
		draw_list(view);
	line_at(LINES - 1, view->last);
	(void)refresh();
}

enum top_key top_screen_key(int wait_ms, char *ret_c)
{
	static const struct {
		int code;
		enum top_key key;
	} keys[] = {
		{ KEY_UP, TOP_KEY_UP },
		{ KEY_DOWN, TOP_KEY_DOWN },
		{ KEY_PPAGE, TOP_KEY_PAGE_UP },
		{ KEY_NPAGE, TOP_KEY_PAGE_DOWN },
		{ KEY_HOME, TOP_KEY_HOME },
		{ KEY_END, TOP_KEY_LAST },
		{ KEY_ENTER, TOP_KEY_ENTER },
		{ '\r', TOP_KEY_ENTER },
		{ '\n', TOP_KEY_ENTER },
		{ 27, TOP_KEY_ESCAPE },
		{ KEY_BACKSPACE, TOP_KEY_ERASE },
		{ 127, TOP_KEY_ERASE },
		{ 8, TOP_KEY_ERASE },
		{ KEY_RESIZE, TOP_KEY_RESIZE },
	};
	int code;

	timeout(wait_ms > 0 ? wait_ms : 0);
	code = getch();
	for (size_t i = 0; i < NELEM(keys); i++)
		if (code == keys[i].code)
			return keys[i].key;
	if (code < ' ' || code > '~')
		return TOP_KEY_NONE;
	*ret_c = (char)code;
	return TOP_KEY_TEXT;
}
