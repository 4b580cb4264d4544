#!/bin/sh
# Build Debian's packages on a minimal Debian, and test them there: `make check-packages` calls it.
#
#   tests/packages/run.sh RELEASE [pytest argument...]
#
# 1. In a fresh system with the build dependencies: the packages are built twice, with other folder, date, time
#    zone, umask, locale and number of jobs; both builds must be identical. lintian must find nothing. A third
#    build is an older version.
# 2. In a fresh system without them, whose systemd is booted (../systemd/run.sh says how): the packages are
#    installed, used, upgraded, removed and purged by test_packages.py.
#
# PACKAGES_KEEP=1 takes the packages of the last run. Needs root and cgroup2. What is installed beforehand is kept in
# build/fresh/RELEASE.build and RELEASE.packages, the packages in RELEASE.debs.
set -eu

usage="usage: $0 RELEASE [pytest argument...]"
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/fresh/root.sh"
. "$top/tests/fresh/boot.sh"
tools='make git ca-certificates lintian faketime locales'
machine='systemd dbus iproute2 python3-pyftpdlib openssl curl procps logrotate bash-completion netbase'

apart()
{
	unshare --mount --pid --fork --kill-child --propagation private sh "$0" "$@"
}

on_host()
{
	release=${1:?$usage}
	shift
	fresh_base "$top" "$release"
	debs=$top/build/fresh/$release.debs
	fresh_layer "$base.build" apart --tools "$base" "$base.build"
	if [ -z "${PACKAGES_KEEP:-}" ] || [ ! -e "$debs/.complete" ]; then
		rm -rf "$debs"
		mkdir -p "$debs"
		apart --build "$base.build/upper:$base" "$debs"
		touch "$debs/.complete"
		rm -rf "$base.packages"
	fi
	fresh_layer "$base.packages" apart --machine "$base" "$base.packages" "$debs"
	fresh_boot "$top" "$release" "$0" --boot "$base.packages/upper:$base" "$debs"
	ATTLSD_MACHINE=$first PYTHONDONTWRITEBYTECODE=1 "${PYTHON:-/usr/bin/python3}" -m pytest \
		-c "$top/tests/packages/pytest.ini" "$top/tests/packages" -p no:cacheprovider "$@"
}

install() # PACKAGE...
{
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
	apt-get update >/dev/null
	apt-get install -y --no-install-recommends "$@" >/var/log/installed 2>&1 || { tail -n 20 /var/log/installed >&2; exit 1; }
}

tools()
{
	fresh_root "$1" "$2"
	fresh_checkout "$top" /usr/src/attlsd
	fresh_enter
	echo "installing what builds packages ..."
	install $tools
	sh /usr/src/attlsd/contrib/setup.sh deb
	localedef -i tr_TR -f UTF-8 tr_TR.UTF-8
	rm -rf /usr/src/attlsd
}

# With the folder of packages as /debs.
enter() # LOWER UPPER DEBS
{
	fresh_root "$1" "$2"
	mkdir -p "$root/debs"
	mount --bind "$3" "$root/debs"
	fresh_checkout "$top" /usr/src/attlsd
	fresh_enter
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin
}

one_build() # NAME VARIABLE=VALUE... COMMAND...
{
	name=$1
	shift
	echo "building: $name ..."
	env HOME=/nonexistent DEB_BUILD=--build=binary DEB_BUILD_OPTIONS='nocheck parallel=2' "$@" >"/tmp/$name.log" 2>&1 || {
		tail -n 30 "/tmp/$name.log" >&2
		echo "the build $name fails" >&2
		exit 1
	}
	! grep -n 'warning:' "/tmp/$name.log" >&2 || { echo "the build $name has warnings" >&2; exit 1; }
}

build()
{
	enter "$1" '' "$2"
	cd /usr/src/attlsd
	folder=/srv/other-folder/deeper
	mkdir -p "$folder"
	(umask 022 && one_build first DEB_BUILD=--build=full TZ=UTC LC_ALL=C sh contrib/deb.sh /tmp/a)
	(umask 007 && one_build second TZ=Asia/Kathmandu LC_ALL=tr_TR.UTF-8 DEB_BUILD_OPTIONS=nocheck \
		NO_FAKE_STAT=1 faketime -f +400d sh contrib/deb.sh "$folder/b")
	for deb in /tmp/a/*.deb; do
		cmp "$deb" "$folder/b/${deb##*/}" || { echo "two builds of ${deb##*/} differ" >&2; exit 1; }
	done
	echo "identical: $(cd /tmp/a && echo *.deb)"

	echo "lintian ..."
	lintian --version
	# One source serves all releases: it names the standards of the oldest.
	lintian --info --display-info --pedantic --allow-root \
		--suppress-tags spelling-error-in-binary,out-of-date-standards-version \
		--fail-on error,warning,info,pedantic,override /tmp/a/*.changes || { echo "lintian has findings" >&2; exit 1; }
	# It takes machine code for text, too; a word of ours is in the source.
	lintian --allow-root --display-info --tags spelling-error-in-binary /tmp/a/*.changes |
		sed -n 's/.*spelling-error-in-binary \([^ ]*\) .*/\1/p' | sort -u >/tmp/words
	! grep -rwFn -f /tmp/words --include='*.[ch]' --include='*.def' . || { echo "lintian: these words are misspelt" >&2; exit 1; }
	cp /tmp/a/*.deb /debs/

	version=$(cat VERSION)
	echo "$version~old" >VERSION
	sed -i "1s/($version)/($version~old)/" debian/changelog
	# two versions hardly ever have the same protocol
	sed -i 's/^#define CTL_VERSION .*/#define CTL_VERSION 0x61740000u/' gateway/base/ctl-proto.h
	one_build old DEB_BUILD_OPTIONS='nocheck noopt parallel=2' sh contrib/deb.sh /tmp/old
	mkdir /debs/old
	cp /tmp/old/*.deb /debs/old/
	rm -f /debs/*dbgsym* /debs/old/*dbgsym*
}

machine()
{
	enter "$1" "$2" "$3"
	echo "installing what the packages need ..."
	install $machine
	# the first commands of the tutorial: the machine has no network
	sed -n '/^```sh install$/,/^```$/p' /usr/src/attlsd/docs/TUTORIAL.md | grep -v '^```' >/tmp/tutorial
	sh -e /tmp/tutorial >/dev/null 2>&1
	for deb in /debs/*.deb; do
		dpkg-deb -f "$deb" Depends | sed 's/attlsd ([^)]*), //' >/tmp/depends
		apt-get satisfy -y --no-install-recommends "$(cat /tmp/depends)" >/dev/null 2>&1
	done
	rm -rf /usr/src/attlsd /tmp/depends /tmp/tutorial
	apt-get clean
}

boot()
{
	enter "$1" '' "$2"
	rm -rf /usr/src/attlsd
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	hostname attlsd-test
	: >/etc/machine-id
	fresh_systemd
}

case ${1:-} in
--tools) shift; tools "$@" ;;
--build) shift; build "$@" ;;
--machine) shift; machine "$@" ;;
--boot) shift; boot "$@" ;;
-* | '') echo "$usage" >&2; exit 2 ;;
*) on_host "$@" ;;
esac
