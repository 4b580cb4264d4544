#!/bin/sh
# Compile attlsd for arm64 on a minimal Debian, without a warning, and run the unit tests under qemu-user:
# `make check-arm64` calls it. As root; the packages are kept in build/fresh/RELEASE.arm64, and nothing is installed
# on this host.
#
#   tests/arm64/run.sh RELEASE
set -eu

usage="usage: $0 RELEASE"
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/fresh/root.sh"
. "$top/tests/fresh/boot.sh"

# What qemu-user cannot do. All of it passes where the kernel itself runs the tests.
# It has no seccomp, so a process that enters its sandbox cannot be tested with it:
WITHOUT='host/filter_test host/sandbox_test monitor/children_life_test'
# Tests of which only this may fail: without_netlink needs seccomp, too; qemu-user leaves descriptors open that
# do not fit into the control message (test_packets), and ignores MADV_DONTFORK (only_a_child_...).
KNOWN='without_netlink test_packets only_a_child_that_is_meant_to_gets_them'

on_host()
{
	release=${1:?$usage}
	fresh_base "$top" "$release"
	fresh_layer "$base.arm64" apart --tools "$base" "$base.arm64"
	apart --check "$base.arm64/upper:$base"
}

apart()
{
	unshare --mount --pid --fork --kill-child --propagation private sh "$0" "$@"
}

tools()
{
	fresh_root "$1" "$2"
	fresh_checkout "$top" /usr/src/attlsd
	fresh_enter
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
	echo "installing the cross compiler ..."
	dpkg --add-architecture arm64
	apt-get update >/dev/null
	libraries=$(sed -n '/^build="/,/"$/p' /usr/src/attlsd/contrib/setup.sh | tr -c 'a-z0-9+.-' '\n' | grep -- '-dev$' | grep -v '^uthash' | sed 's/$/:arm64/')
	apt-get install -y --no-install-recommends make pkg-config crossbuild-essential-arm64 qemu-user-static uthash-dev openssl \
		libcmocka-dev:arm64 $libraries >/var/log/installed 2>&1 || { tail -n 20 /var/log/installed >&2; exit 1; }
	rm -rf /usr/src/attlsd
}

# Did a test of test.log fail, and no other than the known ones?
only_known_fail()
{
	failures=$(sed -n 's/^\[  FAILED  \] \([a-z_]*\)$/\1/p' /tmp/test.log | sort -u)
	[ -n "$failures" ] || return 1
	for failure in $failures; do
		case " $KNOWN " in
		*" $failure "*) ;;
		*) return 1 ;;
		esac
	done
}

check()
{
	fresh_root "$1" ''
	fresh_checkout "$top" /usr/src/attlsd
	fresh_enter
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin PKG_CONFIG_LIBDIR=/usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig
	cd /usr/src/attlsd
	echo "compiling for arm64 ..."
	make -j"$(nproc)" CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar OBJCOPY=aarch64-linux-gnu-objcopy binaries units >/tmp/make.log 2>&1 ||
		{ tail -n 20 /tmp/make.log; exit 1; }
	! grep 'warning:' /tmp/make.log || { echo "arm64: warnings"; exit 1; }
	aarch64-linux-gnu-readelf -h build/attlsd | grep -q AArch64
	passed=0 known=0 failed=0 skipped=0
	for test in build/tests/unit/*/*_test; do
		case " $WITHOUT " in
		*" ${test#build/tests/unit/} "*) skipped=$((skipped + 1)); continue ;;
		esac
		if timeout 300 qemu-aarch64-static "$test" >/tmp/test.log 2>&1; then
			passed=$((passed + 1))
		elif only_known_fail; then
			passed=$((passed + 1)) known=$((known + 1))
		else
			failed=$((failed + 1))
			echo "$test fails:"
			grep -E '\[  FAILED|ERROR' /tmp/test.log | head -n 20 || tail -n 5 /tmp/test.log
		fi
	done
	echo "$passed passed ($known of them but for a test that qemu-user cannot run), $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

case ${1:-} in
--tools) shift; tools "$@" ;;
--check) shift; check "$@" ;;
-* | '') echo "$usage" >&2; exit 2 ;;
*) on_host "$@" ;;
esac
