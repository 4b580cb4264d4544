#!/bin/sh
# What a script can check of docs/STYLE.md and docs/LAYERS; `make lint` calls it
# from the top of the tree. Prints every finding, status 1 if there is one.
set -u
export LC_ALL=C

LINES_MAX=500 # of a file of code
CLANG_FORMAT=14 # the release that decides how code is formatted
PACKAGES='openssl yaml-0.1 libnetfilter_conntrack libseccomp libcap-ng jansson'

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# Files of the project that exist, ignored ones left out: all, or those that match an expression.
git ls-files -co --exclude-standard >"$scratch/all" 2>/dev/null || find . -type f ! -path './.git/*' ! -path './build/*' |
	sed 's|^\./||' >"$scratch/all"
while IFS= read -r file; do
	[ -f "$file" ] && printf '%s\n' "$file"
done <"$scratch/all" | sort >"$scratch/files"

files() # EXPRESSION
{
	grep -E "$1" "$scratch/files"
}

# grep with these options in the files that are listed, one name a line.
in_files() # OPTION... EXPRESSION
{
	xargs -r -d '\n' grep -H "$@" --
}

code=$(files '^(ftp-alg|policy|gateway)/.*\.(c|h|def)$')
c_code=$(files '^(ftp-alg|policy|gateway)/.*\.[ch]$')
tests=$(files '^tests/.*\.[ch]$')

note()
{
	echo "lint: note: $1" >&2
}

layers()
{
	[ -n "$code" ] || return 0
	awk '
	function module(file) { sub(/\.[a-z]+$/, "", file); return file }
	function place(file) { return file in line ? line[file] : line[module(file)] }
	FILENAME == "docs/LAYERS" {
		sub(/#.*/, "")
		if (NF == 0) next
		if ($1 in line) print "docs/LAYERS:" FNR ": " $1 " is listed twice: keep one of the lines"
		line[$1] = FNR
		next
	}
	FNR == 1 && !place(FILENAME) {
		print FILENAME ": not in docs/LAYERS: add " module(FILENAME) " after all that it includes and before all that include it"
	}
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		split($0, quoted, "\"")
		to = quoted[2]
		at = FILENAME ":" FNR ": "
		if (to !~ /^(ftp-alg|policy|gateway)\/[^.]+\.(h|def)$/)
			print at "\"" to "\": name a header from the top of the tree, as in \"policy/ip.h\""
		else if (FILENAME ~ /^ftp-alg\// && to ~ /^policy\// && to !~ /^policy\/(ip|ftp-action)\.h$/)
			print at to ": ftp-alg/ knows only policy/ip.h and policy/ftp-action.h: let gateway/ hand over what is needed"
		else if (!place(to))
			print at to ": not in docs/LAYERS: add " module(to) " there"
		else if (place(FILENAME) && place(to) > place(FILENAME))
			print at module(FILENAME) " must not include " to ", which is higher (docs/LAYERS:" place(to) "): move what is needed into a lower module, or let the higher one hand it over"
	}' docs/LAYERS $code
}

# Comments and strings of one line are taken out first.
banned_calls()
{
	[ -n "$c_code$tests" ] || return 0
	awk '
	BEGIN {
		instead["strcpy"] = instead["strcat"] = instead["sprintf"] = instead["vsprintf"] = "snprintf() or memcpy() with a length"
		instead["strtok"] = "a cursor or strchr()"
		instead["atoi"] = "a parser that checks range and end"
		instead["alloca"] = "a fixed array or malloc()"
		instead["gets"] = "a read with a length"
		instead["system"] = instead["popen"] = "nothing: the daemon starts no other program"
	}
	/^[ \t]*\*|^[ \t]*\/\*/ && !/\*\// { next }
	{
		text = $0
		gsub(/"([^"\\]|\\.)*"/, "\"\"", text)
		gsub(/\/\*[^*]*\*\//, "", text)
		sub(/\/\/.*/, "", text)
		sub(/\/\*.*/, "", text)
		sub(/^[ \t]*\*.*/, "", text)
		while (match(text, /[A-Za-z_][A-Za-z_0-9]*[ \t]*\(/)) {
			name = substr(text, RSTART, RLENGTH)
			sub(/[ \t]*\($/, "", name)
			if (name in instead)
				print FILENAME ":" FNR ": " name "() is banned: use " instead[name]
			text = substr(text, RSTART + RLENGTH)
		}
	}' $c_code $tests
}

# Which library is spoken to where (docs/ARCHITECTURE.md): one place to audit for each.
libraries()
{
	[ -n "$code" ] || return 0
	awk '
	function only(header, where, hint) {
		if (index(included, header) == 1 && FILENAME !~ where)
			print FILENAME ":" FNR ": <" included "> belongs " hint
	}
	/^[ \t]*#[ \t]*include[ \t]*</ {
		included = $0
		sub(/^[^<]*</, "", included)
		sub(/>.*/, "", included)
		only("openssl/", "^gateway/(tls/(tlsctx|certs|trust|identity|policy-digest|ticket-secrets|pbe|key-file|pkcs12|fips|token)|net/(stream-(k?tls|bio)|ja4)|key/provider|keeper/(signer|keeper|token-process)|ctl/throwaway)", "in tlsctx, certs, trust, identity, policy-digest, ticket-secrets, pbe, key-file, pkcs12, fips or token of gateway/tls, in stream-tls, stream-ktls, stream-bio or ja4 of gateway/net, in the provider and the signer, or in throwaway: add a function there")
		only("yaml.h", "^policy/node\\.c$", "in policy/node.c: work on its tree")
		only("libnetfilter_conntrack/", "^gateway/host/conntrack", "in gateway/host/conntrack: add a function there")
		leaf = "in gateway/: ftp-alg/ and policy/ do no I/O, read no clock and log nothing"
		only("sys/socket.h", "^gateway/", leaf)
		only("netinet/", "^gateway/", leaf)
		only("sys/epoll.h", "^gateway/", leaf)
		only("syslog.h", "^gateway/", leaf)
		only("time.h", "^gateway/", leaf)
	}' $code
}

# gateway/ asks the FTP machine with the functions of ftp-alg/machine.h.
machine_members()
{
	files '^gateway/.*\.[ch]$' | in_files -nE '(^|[^a-z_])machine(\.|->)[a-z]' |
		sed 's/$/ <- a member of the FTP machine: ask with a function of ftp-alg\/machine.h/'
}

sizes()
{
	[ -n "$code" ] || return 0
	wc -l $code | while read -r lines file; do
		if [ "$lines" -gt "$LINES_MAX" ] && [ "$file" != total ]; then
			echo "$file: $lines lines, at most $LINES_MAX: cut it where it holds a second idea"
		fi
	done
}

formatting()
{
	[ -n "$c_code$tests" ] || return 0
	if ! command -v clang-format >/dev/null; then
		note "clang-format is not installed: formatting was not checked"
		return 0
	fi
	# Releases of clang-format differ in what they make of one style: Debian 12's decides.
	case $(clang-format --version) in
	*' version '$CLANG_FORMAT.*) ;;
	*)
		note "formatting was not checked: clang-format $CLANG_FORMAT decides, and this is $(clang-format --version)"
		return 0
		;;
	esac
	# One line a file says enough, since the fix is the same for all.
	clang-format --dry-run -Werror $c_code $tests 2>&1 |
		sed -n 's/^\([^: ]*\):[0-9]*:[0-9]*: error: .*/\1/p' | sort | uniq -c |
		while read -r count file; do
			echo "$file: not as clang-format has it in $count places: run clang-format -i $file"
		done
}

manual_pages()
{
	pages=$(files '^docs/man/')
	[ -n "$pages" ] || return 0
	if ! command -v mandoc >/dev/null; then
		note "mandoc is not installed: manual pages were not checked"
		return 0
	fi
	mandoc -Tlint -Wwarning $pages 2>&1 | sed 's/^mandoc: //'
}

# Exported variables, since xargs starts a shell for each header.
headers_alone()
{
	headers=$(files '^(ftp-alg|policy|gateway)/.*\.h$')
	[ -n "$headers" ] || return 0
	CC=${CC:-cc} FLAGS=$(pkg-config --cflags $PACKAGES 2>/dev/null)
	export CC FLAGS
	printf '%s\n' "$headers" | xargs -P "$(nproc)" -n 1 sh -c '
		out=$($CC -fsyntax-only -std=c17 -I. -D_GNU_SOURCE $FLAGS -Werror -x c "$1" 2>&1) ||
			printf "%s: does not compile on its own: include what it uses\n%s\n" "$1" "$out"' sh
}

# A build without the library of Kerberos (make GSSAPI=no) compiles these files in another way, and absent.c
# in place of two others.
without_gssapi()
{
	stand_in=$(files '^gateway/gssapi/absent\.c$')
	[ -n "$stand_in" ] || return 0
	for source in "$stand_in" $(files '^(ftp-alg|policy|gateway|tests/unit)/.*\.c$' | xargs grep -l HAVE_GSSAPI); do
		out=$("${CC:-cc}" -fsyntax-only -std=c17 -I. -D_GNU_SOURCE $(pkg-config --cflags $PACKAGES 2>/dev/null) -Wall -Wextra -Werror "$source" 2>&1) ||
			printf '%s: does not compile with GSSAPI=no\n%s\n' "$source" "$out"
	done
	for name in $(grep -ohE 'gssapi_(acceptor|context)_[a-z]+\(' gateway/gssapi/acceptor.h gateway/gssapi/context.h); do
		grep -qF "$name" "$stand_in" || echo "$stand_in: lacks $name), without which GSSAPI=no does not link"
	done
}

white_space()
{
	files '' | grep -v '^tests/fuzz/corpus/' | in_files -Il . >"$scratch/texts" # neither binary nor empty
	in_files -nE '[[:blank:]]+$' <"$scratch/texts" | sed -E 's/^([^:]*:[0-9]+):.*/\1: white space at the end of the line/'
	in_files -LPz '\n\z' <"$scratch/texts" | sed 's/$/: no line end at the end of the file/'
}

# Each line of a session names it in the same way.
session_lines()
{
	files '^gateway/worker/.*\.c$' | grep -v '/session-log\.c$' | in_files -nE 'LOG_(NUMBER|TEXT)\("(session|client|rule)"' |
		sed 's/$/ <- session_log() adds this field itself/'
}

# Paths of somebody's own machine.
own_paths()
{
	files '' | grep -v '^tests/fuzz/corpus/' | in_files -InE '(^|[^A-Za-z0-9_.})$*/-])/(home|root|work|Users)/' |
		sed 's/$/ <- a path of one machine: make it relative/'
}

# Guards that mutants.py could no longer switch off.
mutants()
{
	files '^tests/attacks/mutants\.py$' | while IFS= read -r file; do
		"${PYTHON:-python3}" "$file" --check 2>&1
	done
}

for check in layers banned_calls libraries machine_members sizes formatting manual_pages headers_alone without_gssapi white_space session_lines own_paths mutants; do
	$check
done >"$scratch/findings"

if [ -s "$scratch/findings" ]; then
	cat "$scratch/findings"
	echo "lint: $(wc -l <"$scratch/findings") lines of findings"
	exit 1
fi
echo "lint: ok"
