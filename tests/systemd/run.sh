#!/bin/sh
# Install attlsd on a minimal Debian, boot its systemd, and test the unit: `make check-systemd` calls it.
#
#   tests/systemd/run.sh RELEASE [pytest argument...]
#
# The machine is a set of namespaces whose first process is the release's systemd (../fresh/boot.sh); the tests run
# outside and enter it. Needs root and cgroup2. Packages are kept in build/fresh/RELEASE.systemd.
set -eu

usage="usage: $0 RELEASE [pytest argument...]"
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/fresh/root.sh"
. "$top/tests/fresh/boot.sh"
: "${PYTHON:=/usr/bin/python3}"
packages='make systemd dbus iproute2 python3-pyftpdlib python3-twisted openssl curl procps'

on_host()
{
	release=${1:?$usage}
	shift
	fresh_base "$top" "$release"
	fresh_layer "$base.systemd" unshare --mount --pid --fork --kill-child --propagation private \
		sh "$0" --packages "$base" "$base.systemd"
	fresh_boot "$top" "$release" "$0" --boot "$base.systemd/upper:$base"
	ATTLSD_MACHINE=$first PYTHONDONTWRITEBYTECODE=1 "$PYTHON" -m pytest -c "$top/tests/systemd/pytest.ini" \
		"$top/tests/systemd" -p no:cacheprovider "$@"
}

packages()
{
	fresh_root "$1" "$2"
	fresh_checkout "$top" /usr/src/attlsd
	fresh_enter
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
	echo "installing packages ..."
	apt-get update >/dev/null
	apt-get install -y --no-install-recommends $packages >/dev/null 2>&1
	sh /usr/src/attlsd/contrib/setup.sh build
	rm -rf /usr/src/attlsd
}

boot()
{
	fresh_root "$1" ''
	fresh_checkout "$top" /usr/src/attlsd
	mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
	fresh_enter
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin
	hostname attlsd-test
	make -s -C /usr/src/attlsd -j"$(nproc)" binaries install PREFIX=/usr
	: >/etc/machine-id
	fresh_systemd
}

case ${1:-} in
--packages) shift; packages "$@" ;;
--boot) shift; boot "$@" ;;
-* | '') echo "$usage" >&2; exit 2 ;;
*) on_host "$@" ;;
esac
