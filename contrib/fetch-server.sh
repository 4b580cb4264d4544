#!/bin/sh
# Unpack a Debian package, such as an FTP server, into a folder without installing or enabling anything.
# Installed, these packages would conflict with each other and start their servers.
# Missing libraries are unpacked as well; run the server with LD_LIBRARY_PATH=$(cat FOLDER/libpath).
set -eu

usage="usage: $0 PACKAGE FOLDER"
package=${1:?$usage} folder=${2:?$usage}
mkdir -p "$(dirname "$folder")"
absolute=$(cd "$(dirname "$folder")" && pwd)/$(basename "$folder")

write_libpath() # FILE
{
	multiarch=$(dpkg-architecture -q DEB_HOST_MULTIARCH 2>/dev/null || echo "$(uname -m)-linux-gnu")
	echo "$absolute/usr/lib/$multiarch:$absolute/lib/$multiarch:$absolute/usr/lib:$absolute/lib" >"$1"
}

if [ -e "$folder/libpath" ]; then
	case $(cat "$folder/libpath") in
	"$absolute"/*) ;;
	*) write_libpath "$folder/libpath" ;; # the folder was copied or moved
	esac
	exit 0
fi

work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
chmod 755 "$work"
work=$(cd "$work" && pwd)
mkdir "$work/deb" "$work/root"

# apt warns on stderr that it cannot use its sandbox user here; show its output only on failure
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }; }

get() {
	(cd "$work/deb" && quietly apt-get download "$1") || {
		[ "$(id -u)" = 0 ] || { echo "no package $1; as root:  apt-get update" >&2; return 1; }
		quietly apt-get update && (cd "$work/deb" && quietly apt-get download "$1")
	} || return 1
	for deb in "$work/deb/$1"_*.deb; do dpkg-deb -x "$deb" "$work/root"; done
}

depends() { dpkg-deb -f "$work/deb/$1"_*.deb Depends Pre-Depends | tr ',' '\n' | sed -n 's/^[^a-z]*\([A-Za-z]*: \)\?\(lib[a-z0-9.+-]*\).*/\2/p'; }

installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }

get "$package"
todo=$(depends "$package")
while [ -n "$todo" ]; do
	next=
	for library in $todo; do
		installed "$library" && continue
		ls "$work/deb/$library"_*.deb >/dev/null 2>&1 && continue
		get "$library"
		next="$next $(depends "$library")"
	done
	todo=$(echo $next)
done
rm -rf "$work/deb" "$work/log"

# the folder moves into place at the end, so write its final paths
mv "$work/root"/* "$work"
rmdir "$work/root"
write_libpath "$work/libpath"

# another process may have been faster; then use its copy
mv -T "$work" "$folder" 2>/dev/null || [ -e "$folder/libpath" ]
