/*
 * `access` against a model. Random entries, folders and names go through both, and
 *  - no command that touches what an entry refuses reaches the server, however the name is written;
 *  - a name that all servers read alike is judged as the model judges it;
 *  - nothing is refused to a client whom no entry with this verb shuts out.
 *
 * ATTLSD_SEED sets the first walk's seed; a failure prints the one it had.
 */
#include <time.h>

#include "tests/unit/access-model.h"
#include "tests/unit/access-stage.h"

#define DEFAULT_SEED 20261130u
#define WALKS_MAX    4000
#define SECONDS_MAX  2
#define STEPS	     30
#define ENTRIES_MAX  5

/* What attlsd.yaml(5) says of these verbs. */
static const struct verb verbs[] = {
	{ "SIZE", "213 1", false, false, false, false },
	{ "MKD", "257 \"x\" made", false, false, false, false },
	{ "MDTM", "213 1", false, false, false, false },
	{ "XMKD", "257 \"x\" made", false, false, false, false },
	{ "CWD", "250 ok", false, false, false, true },
	{ "CWD", "250 ok", false, false, false, true },
	{ "DELE", "250 ok", false, true, false, false },
	{ "RMD", "250 ok", false, true, false, false },
	{ "RNFR", "350 ok", false, true, true, false },
	{ "RNTO", "250 ok", false, true, true, false },
	{ "SMNT", "250 ok", false, true, true, false },
	{ "XFOO", "200 ok", false, true, true, false },
	{ "STAT", "213 ok", true, false, false, false },
	{ "MLST", "250 ok", true, false, false, false },
};

static const char *const user_lists[] = { "'*'", "[]", "[pay]", "[BOB]", "[pay, bob]" };
static const char *const entry_names[][9] = {
	[FTP_SPACE_HFS] = { "a", "b", "ab", "a", "b", "*", "a*", "?", "?b" },
	[FTP_SPACE_MVS] = { "A", "B", "AB", "A", "B", "*", "A*", "%", "%B" },
};

static uint64_t walk_seed, random_state;

static uint32_t pick(uint32_t n)
{
	uint64_t z = (random_state += 0x9e3779b97f4a7c15u); /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ (z >> 31)) % n);
}

#define PICK(list) (list)[pick(NELEM(list))]

/* --- names and entries --- */

static void add(char *text, const char *more)
{
	size_t len = strlen(text);

	if (len + strlen(more) < NAME_MAX_LEN)
		(void)snprintf(text + len, NAME_MAX_LEN - len, "%s", more);
}

/* One to three parts with slashes or dots between them. odd: as only some servers read them. */
static void add_parts(char *text, enum ftp_space space, bool odd)
{
	static const char *const plain[] = { "/", "/", "//", "/./" };
	static const char *const strange[] = { "/", "\\", "/../", "./", " /", "/.../" };
	static const char *const wild[] = {
		"*", "a*", "?b", "**", "[ab]", "{a,b}", "A", "Ab", "B.", "%", "A%"
	};
	size_t at, n = 1 + pick(3);

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && space == FTP_SPACE_MVS)
			add(text, ".");
		else if (i > 0)
			add(text, odd ? PICK(strange) : PICK(plain));
		at = strlen(text);
		add(text, odd && pick(3) == 0 ? PICK(wild) : PICK(names[space]));
		if (space == FTP_SPACE_MVS && pick(3) == 0)
			text[at] = (char)tolower((unsigned char)text[at]);
	}
}

/* Returns whether all servers read this name alike. */
static bool make_name(const struct server *server, char *text)
{
	bool odd = pick(3) == 0, hfs = server->folder.space == FTP_SPACE_HFS;

	text[0] = '\0';
	switch (pick(8)) {
	case 0:
	case 1:
		add(text, pick(4) == 0 ? "//" : "/");
		add_parts(text, FTP_SPACE_HFS, odd);
		add(text, pick(5) == 0 ? "/" : "");
		return !odd;
	case 2:
	case 3:
		if (server->members)
			odd = true;
		for (uint32_t i = hfs ? pick(3) : 0; i > 0; i--)
			add(text, "../");
		add_parts(text, server->folder.space, odd);
		return !odd;
	case 4:
	case 5:
		add(text, "'");
		add_parts(text, FTP_SPACE_MVS, odd);
		add(text, pick(4) == 0 ? "(M)" : pick(6) == 0 ? "(+1)" : "");
		add(text, pick(8) == 0 ? "" : "'");
		return !odd && !hfs;
	case 6:
		add(text, PICK(((const char *[]){ ".", "..", "''", "/", "'/'", "", " /", "/.." })));
		return false;
	default:
		add(text, PICK(((const char *[]){ "\"/", "\"", "'/", "'", " ", "/a/../", "../a/../" })));
		add_parts(text, FTP_SPACE_HFS, odd);
		add(text, text[0] == '"' ? "\"" : text[0] == '\'' ? "'" : "");
		return false;
	}
}

/* The text of the entry goes after `text`. */
static void make_entry(struct entry *entry, char *text, size_t size)
{
	size_t n = pick(4);
	enum ftp_space space = pick(2) == 0 ? FTP_SPACE_MVS : FTP_SPACE_HFS;
	bool rest = space == FTP_SPACE_MVS && pick(2) == 0;
	char name[NAME_MAX_LEN] = "";

	n += space == FTP_SPACE_MVS && n == 0 && !rest ? 1 : 0;
	*entry = (struct entry){ .place.space = space, .users = PICK(user_lists) };
	if (pick(3) == 0)
		entry->verbs = PICK(verb_lists).text;
	for (size_t i = 0, at = rest ? pick((uint32_t)n + 1) : n + 1; i < n + (rest ? 1 : 0); i++) {
		const char *part = i == at ? "**" : PICK(entry_names[space]);

		(void)push(&entry->place, part, strlen(part));
		add(name, space == FTP_SPACE_HFS ? "/" : i > 0 ? "." : "");
		add(name, part);
	}
	if (pick(12) == 0)
		entry->place = (struct place){ .space = FTP_SPACE_JES };
	if (entry->place.space == FTP_SPACE_JES)
		(void)snprintf(name, sizeof(name), "jes");
	else if (entry->place.space == FTP_SPACE_HFS && n == 0)
		(void)snprintf(name, sizeof(name), "/");
	(void)snprintf(text + strlen(text), size - strlen(text), "%s{ path: \"%s%s%s\", users: %s%s%s }",
		       text[0] != '\0' ? ", " : "", entry->place.space == FTP_SPACE_MVS ? "'" : "", name,
		       entry->place.space == FTP_SPACE_MVS ? "'" : "", entry->users,
		       entry->verbs != NULL ? ", verbs: " : "", entry->verbs != NULL ? entry->verbs : "");
}

/* --- walks --- */

struct reach {
	unsigned walks, refused, passed, exact;
};

struct walk {
	struct server server;
	struct entry entries[ENTRIES_MAX];
	size_t nentries;
	char text[2048]; /* the entries */
	const char *user;
	struct stage *stage;
};

/* "server", or why not. The server is asked for its folder where needed. */
static const char *judge(struct walk *walk, const char *line)
{
	const char *got = stage_line(walk->stage, line);
	char reply[NAME_MAX_LEN + 32];

	if (strcmp(got, "ask") != 0)
		return got;
	say_folder(&walk->server, reply, sizeof(reply));
	stage_reply(walk->stage, reply);
	return stage_line(walk->stage, line);
}

static void move(struct walk *walk, const struct place *target)
{
	bool moves = target != NULL && target->n < LEVELS_MAX && !walk->server.members;

	for (size_t i = 0; moves && i < target->n; i++)
		moves = strpbrk(target->parts[i], "*?%[{ '\"") == NULL;
	if (moves) {
		walk->server.folder = *target;
		walk->server.members =
		    target->space == FTP_SPACE_MVS && target->n == 3 && strcmp(target->parts[2], "AB") == 0;
	}
	stage_reply(walk->stage, moves ? "250 moved" : "550 no such folder");
}

/* Do all servers read the names of this place alike? */
static bool is_common(const struct place *place)
{
	bool common = true;

	for (size_t i = 0; i < place->n; i++) {
		bool found = false;

		for (size_t j = 0; j < NELEM(names[0]); j++)
			found = found || strcmp(place->parts[i], names[place->space][j]) == 0;
		common = common && found;
	}
	return common;
}

static void step(struct walk *walk, struct reach *reach)
{
	static const struct verb up = { "CDUP", "250 ok", false, false, false, true };
	const struct verb *verb = pick(12) == 0 ? &up : &PICK(verbs);
	char name[NAME_MAX_LEN] = "", line[NAME_MAX_LEN + 32], where[NAME_MAX_LEN + 32];
	bool exact = verb == &up || make_name(&walk->server, name), has_target = true, refused, passed;
	struct place target = walk->server.folder;
	const char *got;

	exact = exact && !verb->deep && !verb->lists && !walk->server.jes && !walk->server.members &&
		is_common(&walk->server.folder) && (verb->moves || strncmp(name, "..", 2) != 0);
	if (verb == &up)
		target.n -= target.n > 0 ? 1 : 0;
	else if (name[0] != '\0' || strcmp(verb->name, "MLST") == 0)
		has_target = resolve(&walk->server, name, &target);
	else
		has_target = false; /* 501, and STAT alone is about the session */
	(void)snprintf(line, sizeof(line), "%s%s%s", verb->name, verb == &up ? "" : " ", name);
	say_folder(&walk->server, where, sizeof(where));
	refused = has_target && touches_refused(walk->entries, walk->nentries, walk->user, verb, &target);
	if (walk->server.jes) {
		target = (struct place){ .space = FTP_SPACE_JES };
		refused = is_refused(walk->entries, walk->nentries, walk->user, verb, &target);
	}
	got = judge(walk, line);
	passed = strcmp(got, "server") == 0;
	if ((passed && refused) || (!passed && exact && !refused) ||
	    (!passed && !shuts_out(walk->entries, walk->nentries, walk->user, verb)))
		fail_msg("ATTLSD_SEED=%llu: %s, user %s, %s, server %d%s, %s: got %s, the model %s it%s",
			 (unsigned long long)walk_seed, walk->text, walk->user, where,
			 (int)walk->server.flavour, walk->server.jes ? " (jes)" : "", line, got,
			 refused ? "refuses" : "allows", exact ? " (exactly)" : "");
	reach->exact += exact;
	reach->passed += passed;
	reach->refused += refused;
	if (passed && verb->moves)
		move(walk, has_target && !walk->server.jes ? &target : NULL);
	else if (passed)
		stage_reply(walk->stage, verb->reply);
}

static void spool(struct walk *walk)
{
	static const struct verb site = { "SITE", "200 ok", false, true, true, true };
	const struct place jes = { .space = FTP_SPACE_JES };
	bool into = pick(2) == 0;
	bool passed = strcmp(judge(walk, into ? "SITE FILETYPE=JES" : "SITE FILETYPE=SEQ"), "server") == 0;

	if (passed && into && is_refused(walk->entries, walk->nentries, walk->user, &site, &jes))
		fail_msg("ATTLSD_SEED=%llu: %s, user %s: into the spool", (unsigned long long)walk_seed,
			 walk->text, walk->user);
	if (passed) {
		walk->server.jes = into;
		stage_reply(walk->stage, "200 ok");
	}
}

static void walk_once(struct reach *reach)
{
	struct walk *walk = calloc(1, sizeof(*walk));

	assert_non_null(walk);
	random_state = walk_seed;
	walk->server.flavour = (enum flavour)pick(FLAVOURS);
	walk->server.folder.space =
	    walk->server.flavour == ZOS && pick(3) > 0 ? FTP_SPACE_MVS : FTP_SPACE_HFS;
	walk->nentries = 1 + pick(ENTRIES_MAX);
	for (size_t i = 0; i < walk->nentries; i++)
		make_entry(&walk->entries[i], walk->text, sizeof(walk->text));
	walk->user = pick(4) == 0 ? "pay" : "bob";
	walk->stage = stage_begin(walk->text, walk->user, NULL);
	for (int i = 0; i < STEPS; i++)
		if (walk->server.flavour == ZOS && pick(12) == 0)
			spool(walk);
		else
			step(walk, reach);
	stage_end(walk->stage);
	free(walk);
	reach->walks++;
}

static void test_model_agrees(void **state)
{
	const char *seed = getenv("ATTLSD_SEED");
	clock_t end = clock() + SECONDS_MAX * CLOCKS_PER_SEC;
	struct reach reach = { 0 };

	(void)state;
	walk_seed = seed != NULL ? strtoull(seed, NULL, 10) : DEFAULT_SEED;
	while (reach.walks < WALKS_MAX && (reach.walks == 0 || clock() < end)) {
		walk_once(&reach);
		walk_seed++;
	}
	print_message("%u walks, %u commands refused, %u passed, %u exact\n", reach.walks, reach.refused,
		      reach.passed, reach.exact);
	assert_true(reach.walks < 10 ||
		    (reach.refused > reach.walks && reach.passed > reach.walks && reach.exact > reach.walks));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_model_agrees) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
