#!/bin/sh
# Install attlsd on a minimal Debian, boot its systemd, and test the unit: `make check-systemd` calls it.
#
#   tests/systemd/run.sh RELEASE [pytest argument...]
#
# The machine is a set of namespaces (mount, pid, network, cgroup, ipc, uts) whose first process is the
# release's systemd; the tests run outside and enter it. Needs root and cgroup2. Packages are kept in
# build/fresh/RELEASE.systemd.
set -eu

usage="usage: $0 RELEASE [pytest argument...]"
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/fresh/root.sh"
: "${PYTHON:=/usr/bin/python3}"
packages='make systemd dbus iproute2 python3-pyftpdlib python3-twisted openssl curl procps'

on_host()
{
	release=${1:?$usage}
	shift
	fresh_base "$top" "$release"
	layer=$base.systemd
	if [ ! -e "$layer/.complete" ]; then
		rm -rf "$layer"
		unshare --mount --pid --fork --kill-child --propagation private sh "$0" --packages "$base" "$layer"
		touch "$layer/.complete"
	fi
	groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
	[ -n "$groups" ] || { echo "$0: no cgroup2 is mounted here" >&2; exit 1; }
	group=$groups/attlsd-systemd-$$
	mkdir "$group"
	console=$top/build/fresh/$release.console
	sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$group" \
		unshare --mount --pid --net --ipc --uts --cgroup --fork --kill-child --propagation private \
		sh "$0" --boot "$layer/upper:$base" </dev/null >"$console" 2>&1 &
	unshare=$!
	trap end EXIT # unshare ignores SIGTERM; its child dies with it
	trap 'exit 1' INT TERM HUP
	# the first process of the machine is the child of unshare
	until first=$(pgrep -P "$unshare"); do kill -0 "$unshare" || exit 1; done
	echo "building attlsd and booting $release ..."
	until [ "$(cat "/proc/$first/comm" 2>/dev/null)" = systemd ]; do
		kill -0 "$unshare" 2>/dev/null || { tail -n 20 "$console" >&2; exit 1; }
		sleep 0.2
	done
	ATTLSD_MACHINE=$first PYTHONDONTWRITEBYTECODE=1 "$PYTHON" -m pytest -c "$top/tests/systemd/pytest.ini" \
		"$top/tests/systemd" -p no:cacheprovider "$@"
}

end()
{
	status=$?
	kill -KILL "$unshare" 2>/dev/null || :
	wait "$unshare" 2>/dev/null || :
	find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || :
	[ "$status" = 0 ] || echo "$0: the machine's console is in $console" >&2
	exit "$status"
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
	exec env -i container=attlsd-test /lib/systemd/systemd --system --log-target=console --show-status=true \
		systemd.unit=multi-user.target
}

case ${1:-} in
--packages) shift; packages "$@" ;;
--boot) shift; boot "$@" ;;
-* | '') echo "$usage" >&2; exit 2 ;;
*) on_host "$@" ;;
esac
