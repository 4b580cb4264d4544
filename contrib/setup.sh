#!/bin/sh
# Install the Debian packages that one purpose needs: build | test | demo | bench | ktls | fresh | deb | rpm | image.
# In a list, A|B means A, or B if the release has no A.
# Prints nothing if all are installed. Without root, prints the command to run.
set -eu

build="gcc libc6-dev make pkg-config libssl-dev libyaml-dev libnetfilter-conntrack-dev libnftables-dev libseccomp-dev
	libcap-ng-dev libkrb5-dev libjansson-dev libncurses-dev libmicrohttpd-dev uthash-dev"
demo="$build openssl curl python3 ca-certificates"
test="$demo libcmocka-dev python3-pytest python3-pexpect python3-pyte python3-pyftpdlib python3-twisted python3-aioftp python3-openssl python3-yaml python3-kubernetes python3-prometheus-client prometheus lftp
	krb5-kdc krb5-admin-server krb5-user python3-gssapi
	php-cli ruby pebble|curl dehydrated|curl lego|curl wget rclone libio-socket-ssl-perl erlang-ftp nftables iptables keepalived ufw conntrack iproute2 procps mandoc
	clang clang-format libclang-rt-14-dev|libclang-rt-dev git netbase python3-jsonschema rsyslog logrotate systemd
	softhsm2 pkcs11-provider|softhsm2 openssl-provider-fips|openssl openssl-provider-legacy|openssl
	chromium chromium-driver python3-selenium" # only a browser can tell whether the page works; 0.4 GB
ktls='qemu-system-x86 busybox-static cpio kmod xz-utils' # and a kernel, see tests/ktls/run.sh
fresh=debootstrap
rpm="$build rpm rpmlint"
image='umoci mmdebstrap runc buildah curl python3-pyftpdlib'
deb="$build build-essential debhelper openssl libcmocka-dev"
bench="$demo lftp iproute2" # the other servers are unpacked under build/, see contrib/fetch-server.sh

case ${1:-} in
build) want=$build ;;
demo) want=$demo ;;
test) want=$test ;;
bench) want=$bench ;;
ktls) want=$ktls ;;
fresh) want=$fresh ;;
deb) want=$deb ;;
rpm) want=$rpm ;;
image) want=$image ;;
*) echo "usage: $0 build|test|demo|bench|ktls|fresh|deb|rpm|image" >&2; exit 2 ;;
esac

command -v dpkg-query >/dev/null || exit 0 # not Debian: the compiler will report what is missing
installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }

missing=
for names in $want; do
	for package in $(echo "$names" | tr '|' ' '); do
		installed "$package" && continue 2
		apt-cache show "$package" >/dev/null 2>&1 && break # what comes after it is for releases without it
	done
	missing="$missing $names"
done
[ -n "$missing" ] || exit 0

# For each entry of $missing, print the first name that this release has.
choose()
{
	for names in $missing; do
		for package in $(echo "$names" | tr '|' ' '); do
			apt-cache show "$package" >/dev/null 2>&1 && break
		done
		printf ' %s' "$package"
	done
}

if [ "$(id -u)" != 0 ]; then
	echo "missing packages; run as root:  apt-get install$(choose)" >&2
	exit 1
fi
log=$(mktemp)
trap 'rm -f "$log" "$log.before" "$log.after"' EXIT
trap 'exit 1' INT TERM HUP # dash runs no EXIT trap when a signal ends it
export DEBIAN_FRONTEND=noninteractive
apt-get update >"$log" 2>&1 || { tail -n 20 "$log" >&2; echo "apt-get update failed" >&2; exit 1; }
missing=$(choose)
echo "installing:$missing"
# Packages of daemons start them and enable them for each boot; tests want only the programs.
enabled() { systemctl list-unit-files --root=/ --state=enabled --no-legend 2>/dev/null | awk '{print $1}' | sort; }
enabled >"$log.before"
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap 'rm -f "$log" "$log.before" "$log.after" $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi
if ! apt-get install -y --no-install-recommends $missing >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "apt-get install$missing failed" >&2
	exit 1
fi
enabled >"$log.after"
comm -13 "$log.before" "$log.after" | while read -r unit; do
	systemctl disable --root=/ "$unit" >/dev/null 2>&1 || echo "cannot disable $unit, which a package has enabled" >&2
done
