#!/bin/sh
# Build the Debian packages; `make deb` calls it from the top of the tree.
#
#   contrib/deb.sh [FOLDER]
#
# The source is copied to FOLDER (build/deb), where the packages appear, too. Files that git ignores are left
# out. The packages depend only on the checkout and the release of Debian: two builds are identical.
set -eu

folder=${1:-build/deb}
sh contrib/setup.sh deb
version=$(cat VERSION)
rm -rf "$folder"
mkdir -p "$folder/attlsd-$version"
if git rev-parse --git-dir >/dev/null 2>&1; then
	git ls-files -co --exclude-standard -z
else # an unpacked archive
	find . -path ./build -prune -o -type f -print0
fi | tar --null -T - --ignore-failed-read -cf - 2>/dev/null | tar -xf - -C "$folder/attlsd-$version" --no-same-owner
cd "$folder/attlsd-$version"
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL dpkg-buildpackage --no-sign ${DEB_BUILD:---build=full}
ls ../*.deb
