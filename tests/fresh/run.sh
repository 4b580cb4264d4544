#!/bin/sh
# Run the README's commands on a fresh, minimal Debian: debootstrap's minbase, with mount, process and
# network namespaces of its own. `make check-fresh` calls it.
#
#   tests/fresh/run.sh RELEASE [STEP...]
#
# RELEASE  bookworm, trixie
# STEP     demo    make demo DEMO=once, as root, from a checkout in root's home
#          check   make check, there
#          user    make check as an ordinary user, from a checkout in a home folder
#          sample  a part of make check: all unit tests, and the system tests that depend most on the
#                  release's OpenSSL, curl, Python and servers
#          shell   a shell to look around
#          Without a step: demo check user.
#
# The base system is kept in build/fresh/RELEASE and never written to; each run works on an overlay in
# memory or, with FRESH_UPPER, in that folder. Packages are installed with the host's network; the
# steps then run without any. The last line is the summary. Status 0 only if all steps passed.
set -eu

usage="usage: $0 RELEASE [demo|check|user|sample|shell]..."
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/fresh/root.sh"

# The functions below run on the host, in the new namespaces, and inside the fresh system: this script
# calls itself once for each, with the place as its first argument.

on_host()
{
	release=${1:?$usage}
	shift
	fresh_base "$top" "$release"
	[ -z "${FRESH_UPPER:-}" ] || rm -rf "$FRESH_UPPER"
	exec unshare --mount --pid --fork --kill-child --propagation private sh "$0" --namespaces "$base" "${FRESH_UPPER:-}" "$@"
}

in_namespaces()
{
	fresh_root "$1" "$2"
	shift 2
	HOME=/root
	fresh_checkout "$top" "$HOME/attlsd"
	fresh_enter
	cd "$HOME/attlsd"
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$HOME" LC_ALL=C.UTF-8 TERM="${TERM:-dumb}" \
		DEBIAN_FRONTEND=noninteractive sh tests/fresh/run.sh --inside "$@"
}

# Everything that needs the network: what the README says a fresh Debian needs, and what make fetches.
prepare()
{
	echo "== packages"
	apt-get update >/tmp/apt.log 2>&1 && apt-get install -y --no-install-recommends make >>/tmp/apt.log 2>&1 ||
		{ tail -n 20 /tmp/apt.log; exit 1; }
	make setup-demo setup-test
	python3 tests/differential/more_servers.py fetch
}

SAMPLE='tests/system/test_harness.py tests/system/test_ccc.py tests/system/test_groups.py tests/system/test_ciphers.py
	tests/system/test_key_isolation.py tests/system/test_refused_certificates.py tests/system/test_start.py
	tests/system/test_log.py tests/system/test_resuming_clients.py tests/attacks/test_certificates.py
	tests/attacks/test_worker.py tests/edge/test_translation.py'

offline() # COMMAND...: without a network but for a loopback of its own
{
	unshare --net sh -c 'ip link set lo up && exec "$@"' sh "$@"
}

step()
{
	case $1 in
	demo) offline make demo DEMO=once </dev/null ;;
	check) offline make check </dev/null ;;
	user)
		useradd --create-home --shell /bin/sh tester
		cp -r . ~tester/attlsd
		chown -R tester: ~tester/attlsd
		offline su - tester -c 'cd attlsd && rm -rf build/check && make check' </dev/null
		;;
	sample) TESTS=$SAMPLE offline make check </dev/null ;;
	shell) offline sh -i ;;
	*) echo "$usage" >&2; exit 2 ;;
	esac
}

inside()
{
	[ $# -gt 0 ] || set -- demo check user
	. /etc/os-release
	prepare
	passed=0 failed=
	for name in "$@"; do
		echo "== $PRETTY_NAME: $name"
		if step "$name"; then passed=$((passed + 1)); else failed="$failed $name"; fi
	done
	[ -z "$failed" ] || echo "FAILED:$failed"
	echo "$PRETTY_NAME: $passed passed, $(echo $failed | wc -w) failed"
	[ -z "$failed" ]
}

case ${1:-} in
--namespaces) shift; in_namespaces "$@" ;;
--inside) shift; inside "$@" ;;
-* | '') echo "$usage" >&2; exit 2 ;;
*) on_host "$@" ;;
esac
