#!/bin/sh
# Run the unit tests and the system tests of a build; `make check` calls it.
#
# B       build directory (build)
# PYTHON  interpreter that has pytest (python3)
# TESTS   these system tests only, as pytest takes them
#
# Prints one line per unit test program, the whole output of those that fail,
# the reason of each skipped and each failed test, and last "N passed, M failed, K skipped".
# Status 0 only when nothing failed and something passed.
set -u

: "${B:=build}"
: "${PYTHON:=python3}"
UNIT_SECONDS=300 # a program that takes longer hangs

B=$(cd "$B" && pwd) || exit 1
out=$B/check
export B PYTHON ATTLSD="$B/attlsd" ATTLSCTL="$B/attlsctl" ATTLSD_BUILD="$B" PYTHONDONTWRITEBYTECODE=1
passed=0 failed=0 skipped=0

# Counts of a cmocka program in TAP: "passed failed skipped planned".
tap_counts()
{
	awk '/^1\.\.[0-9]+$/ { planned += substr($0, 4) }
	     /^not ok [0-9]+ # SKIP/ { skipped++; next }
	     /^not ok [0-9]+/ { failed++ }
	     /^ok [0-9]+/ { passed++ }
	     END { print passed + 0, failed + 0, skipped + 0, planned + 0 }' "$1"
}

unit() # PROGRAM
{
	name=${1#"$B"/tests/unit/}
	log=$out/$(echo "$name" | tr / -)
	CMOCKA_MESSAGE_OUTPUT=tap timeout "$UNIT_SECONDS" "$1" >"$log" 2>&1
	status=$?
	set -- $(tap_counts "$log")
	p=$1 f=$2 s=$3 planned=$4

	why=
	if [ $((p + f + s)) -lt "$planned" ] || { [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; }; then
		f=$((f + 1))
		why=" (ended with status $status after $((p + f + s - 1)) of $planned tests)"
	elif [ "$planned" -eq 0 ]; then
		f=1
		why=" (ran no test)"
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))

	echo "$name: $p passed, $f failed, $s skipped$why"
	sed -n "s/^not ok [0-9]* # SKIP \(.*\)/  skipped: \1, by the test itself/p" "$log"
	if [ "$f" -gt 0 ]; then
		sed 's/^/  /' "$log"
	fi
}

# Counts of a junit file: "passed failed skipped".
junit_counts()
{
	"$PYTHON" - "$1" <<'EOF'
import sys, xml.etree.ElementTree as tree
total = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
for suite in tree.parse(sys.argv[1]).iter("testsuite"):
    for key in total:
        total[key] += int(suite.get(key, 0))
bad = total["failures"] + total["errors"]
print(max(0, total["tests"] - bad - total["skipped"]), bad, total["skipped"])
EOF
}

# -q twice: pytest's own last line would be a second summary.
run_pytest() # NAME TESTS...
{
	xml=$out/$1.xml
	shift
	"$PYTHON" -m pytest -c tests/system/pytest.ini "$@" -q -q -rsfE --tb=short -p no:cacheprovider "--junitxml=$xml"
}

count_pytest() # NAME STATUS
{
	name=$1 status=$2
	counts=$(junit_counts "$out/$name.xml" 2>/dev/null) || counts='0 0 0'
	set -- $counts
	p=$1 f=$2 s=$3
	# 5: there are no tests. Anything else that is not 0 failed, even if no test says so.
	if [ "$status" -ne 0 ] && [ "$status" -ne 5 ] && [ "$f" -eq 0 ]; then
		echo "$name: pytest ended with status $status"
		f=1
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# Most tests wait for something, so several runs share the processors. Root gives each but the first one a
# network of its own, so that none takes a port that another has just found free; without that, there is
# one run. The runs take about the same time; the unit tests come before the first one.
share() # NAME
{
	case $1 in
	first) echo tests/system/test_[b-i]*.py ;;
	second) echo tests/conformance tests/attacks tests/edge tests/fleet ;;
	third) echo tests/system/test_a*.py tests/system/test_[j-p]*.py ;;
	fourth) echo tests/system/test_[q-z]*.py tests/differential ;;
	esac
}

# Start all runs but the first.
start_shares()
{
	"$PYTHON" tests/differential/more_servers.py fetch # what the other runs have no way to
	pids=
	trap 'kill $pids 2>/dev/null' EXIT
	trap 'exit 1' INT TERM HUP
	for run in second third fourth; do
		unshare --net sh "$0" "$run" >"$out/$run.log" 2>&1 &
		pids="$pids $!"
	done
}

finish_shares()
{
	run_pytest first $(share first)
	count_pytest first $?
	for run in second third fourth; do
		set -- $pids
		wait "$1"
		status=$?
		shift
		pids=$*
		cat "$out/$run.log"
		count_pytest "$run" "$status"
	done
	trap - EXIT
}

units()
{
	for program in "$B"/tests/unit/*/*_test; do
		[ -x "$program" ] && unit "$program"
	done
}

case ${1:-} in
second | third | fourth) # in a network of its own
	ip link set lo up || exit 1
	trap 'kill "$pytest" 2>/dev/null' TERM
	run_pytest "$1" $(share "$1") &
	pytest=$!
	wait "$pytest"
	exit
	;;
esac
rm -rf "$out"
mkdir -p "$out" || exit 1
if [ ! -d tests/system ]; then
	units
elif [ -n "${TESTS:-}" ]; then
	units
	run_pytest system $TESTS
	count_pytest system $?
elif ! unshare --net true 2>/dev/null; then
	units
	run_pytest system tests/system tests/differential $(share second)
	count_pytest system $?
else
	start_shares
	units
	finish_shares
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
