#!/bin/sh
# Build contrib/container/Containerfile with buildah: `make check-image` calls it from the top of the tree, as root.
#
#   tests/container/containerfile.sh LAYOUT
#
# LAYOUT  a folder that gets the image in the OCI layout, as "attlsd". No registry of images is asked: mmdebstrap makes
#         what the file begins with, under the same name. Packages come from Debian's mirror.
set -eu

layout=${1:?usage: $0 LAYOUT}
mirror=${FRESH_MIRROR:-http://deb.debian.org/debian}
from=$(sed -n 's/^FROM \(debian:[a-z]*-slim\).*/\1/p' contrib/container/Containerfile | sort -u)
release=${from#debian:}
release=${release%-slim}
storage=$(mktemp -d)
trap 'rm -rf "$storage"' EXIT
trap 'exit 1' INT TERM HUP

b()
{
	buildah --root "$storage/root" --runroot "$storage/run" --storage-driver vfs "$@"
}

echo "making $from ..."
mmdebstrap --quiet --variant=minbase "$release" "$storage/base.tar" "$mirror"
b from --name base scratch >/dev/null
b add --quiet base "$storage/base.tar" / >/dev/null
b commit --quiet base "docker.io/library/$from" >/dev/null
b rm base >/dev/null
rm "$storage/base.tar"
echo "building the Containerfile ..."
b build --pull-never --isolation chroot --format oci -f contrib/container/Containerfile -t localhost/attlsd . >"$storage/log" 2>&1 || {
	tail -n 30 "$storage/log" >&2
	exit 1
}
rm -rf "$layout"
b push --quiet localhost/attlsd "oci:$layout:attlsd"
