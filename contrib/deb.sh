#!/bin/sh
# Build the Debian packages; `make deb` calls it from the top of the tree.
#
#   contrib/deb.sh [FOLDER]
#
# The source is copied to FOLDER (build/deb), where the packages appear, too. Files that git ignores are left
# out. The packages depend only on the checkout and the release of Debian: two builds are identical.
set -eu
. contrib/source.sh

folder=${1:-build/deb}
sh contrib/setup.sh deb
version=$(cat VERSION)
rm -rf "$folder"
copy_source "$folder/attlsd-$version"
cd "$folder/attlsd-$version"
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL dpkg-buildpackage --no-sign ${DEB_BUILD:---build=full}
ls ../*.deb
