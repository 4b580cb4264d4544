# Copy the source, with what is not committed and without what git ignores, to a folder; deb.sh and rpm.sh source this.

copy_source() # FOLDER
{
	mkdir -p "$1"
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -co --exclude-standard -z
	else # an unpacked archive
		find . -path ./build -prune -o -type f -print0
	fi | tar --null -T - --ignore-failed-read -cf - 2>/dev/null | tar -xf - -C "$1" --no-same-owner
}
