#!/bin/sh
# Build the RPM packages; `make rpm` calls it from the top of the tree. On Debian, rpmbuild does not know what is
# installed, so it does not check BuildRequires there, and rpmlint looks at the result.
#
#   contrib/rpm/build.sh [FOLDER]
set -eu
. contrib/source.sh

folder=${1:-$PWD/build/rpm}
sh contrib/setup.sh rpm
version=$(cat VERSION)
rm -rf "$folder"
mkdir -p "$folder/SOURCES"
copy_source "$folder/attlsd-$version"
tar -C "$folder" --sort=name --owner=0 --group=0 --numeric-owner -czf "$folder/SOURCES/attlsd-$version.tar.gz" "attlsd-$version"
rm -rf "$folder/attlsd-$version"
nodeps=
[ ! -e /etc/debian_version ] || nodeps=--nodeps
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL rpmbuild $nodeps --define "_topdir $folder" -ba contrib/rpm/attlsd.spec
ls "$folder"/RPMS/*/*.rpm
! command -v rpmlint >/dev/null || rpmlint --config contrib/rpm/rpmlint.toml contrib/rpm/attlsd.spec "$folder"/RPMS/*/*.rpm
