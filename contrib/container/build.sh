#!/bin/sh
# Build an OCI image of attlsd without a daemon: a minimal Debian of this host's release with the packages of
# `make deb`. `make image` calls it from the top of the tree.
#
#   contrib/container/build.sh [LAYOUT]
#
# LAYOUT  a folder in the OCI image layout (build/image), with the image "attlsd". For example:
#         podman pull oci:build/image:attlsd    skopeo copy oci:build/image:attlsd docker://registry.example/attlsd
set -eu

layout=${1:-build/image}
mirror=${FRESH_MIRROR:-http://deb.debian.org/debian}
sh contrib/setup.sh image
deb=$(ls build/deb/attlsd_*.deb)
http=$(ls build/deb/attlsd-http_*.deb)
. /etc/os-release
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l debian/changelog -S Timestamp)
export SOURCE_DATE_EPOCH

# Without systemd, which the image does not run; its tool makes the users. The same list twice does no harm.
needs=$(for file in "$deb" "$http"; do dpkg-deb -f "$file" Depends; done | tr ',' '\n' |
	sed -e 's/^ *//' -e 's/ .*//' -e '/^attlsd/d' -e 's/^systemd$/systemd-standalone-sysusers/' | sort -u | paste -sd,)

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
echo "making a minimal $VERSION_CODENAME ..."
mmdebstrap --quiet --variant=essential --include="$needs,ca-certificates" \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
	--customize-hook="upload $deb /attlsd.deb" --customize-hook="upload $http /attlsd-http.deb" \
	--customize-hook='chroot "$1" dpkg -i /attlsd.deb /attlsd-http.deb >/dev/null' \
	--customize-hook='rm -r "$1"/*.deb "$1/var/lib/apt" "$1/var/cache" "$1/var/log"/*' \
	--customize-hook='mkdir -p "$1/var/cache" "$1/run/attlsd" && chmod 755 "$1/etc/attlsd"' \
	"$VERSION_CODENAME" "$root/tree" "$mirror"

rm -rf "$layout"
umoci init --layout "$layout"
umoci new --image "$layout:attlsd"
umoci insert --image "$layout:attlsd" "$root/tree" / >/dev/null
umoci config --image "$layout:attlsd" --no-history --created "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)" \
	--config.user 12345:12345 --config.entrypoint /usr/sbin/attlsd --config.cmd -f --config.cmd /etc/attlsd/policy.yaml \
	--config.volume /etc/attlsd --config.volume /run/attlsd --config.stopsignal SIGTERM \
	--config.label org.opencontainers.image.title=attlsd --config.label "org.opencontainers.image.version=$(cat VERSION)" \
	--config.label org.opencontainers.image.licenses=GPL-3.0-or-later
umoci gc --layout "$layout"
echo "$layout:attlsd, $(du -sh "$layout" | cut -f 1)"
