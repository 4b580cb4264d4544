#!/bin/sh
# The tests of TLS in the kernel; `make check-ktls` calls it. Where this kernel has
# no TLS, they run on a kernel of Debian's in an emulated machine, whose root is this
# machine's, read only. Nothing is installed outside build/ but the packages of
# contrib/setup.sh; no acceleration is needed (and none used: not every /dev/kvm works).
#
# B       build directory (build)
# PYTHON  interpreter that has pytest (python3)
# KERNEL  package of the kernel (the newest that linux-image-amd64 depends on)
set -eu

: "${B:=build}"
: "${PYTHON:=python3}"
SECONDS_MAX=900

top=$(cd "$(dirname "$0")/../.." && pwd)
B=$(cd "$B" && pwd)
export B PYTHON

[ "$(id -u)" = 0 ] && modprobe -q tls 2>/dev/null || true
if grep -qw tls /proc/sys/net/ipv4/tcp_available_ulp; then
	exec sh "$top/tests/ktls/tests.sh"
fi

if [ "$(uname -m)" != x86_64 ]; then
	echo "this kernel has no TLS (modprobe tls), and the emulated machine is for x86_64 only" >&2
	exit 1
fi
sh "$top/contrib/setup.sh" ktls
package=${KERNEL:-$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: *\(linux-image-[0-9].*\)/\1/p' | head -n 1)}
[ -n "$package" ] || { echo "apt knows no linux-image-amd64; as root:  apt-get update" >&2; exit 1; }
kernel=$B/ktls/$package
sh "$top/contrib/fetch-server.sh" "$package" "$kernel"

# What the emulated machine starts with: busybox, and the modules up to its root.
version=$(basename "$kernel"/lib/modules/*)
root=$B/ktls/initramfs
rm -rf "$root"
mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/host" "$root/own" "$root/new"
cp /bin/busybox "$root/bin/busybox"
depmod -b "$kernel" "$version"
for module in virtio_pci 9pnet_virtio 9p overlay; do
	modprobe -d "$kernel" -S "$version" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$B/ktls/modules"
modules=
while read -r file; do
	module=$(basename "$file" .xz)
	case $file in *.xz) xz -dc "$file" ;; *) cat "$file" ;; esac >"$root/$module"
	modules="$modules $module"
done <"$B/ktls/modules"
cat >"$root/init" <<EOF
#!/bin/busybox sh
b=/bin/busybox
\$b mount -t proc none /proc
\$b mount -t sysfs none /sys
\$b mount -t devtmpfs none /dev
for module in $modules; do \$b insmod /\$module; done
\$b mount -r -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=mmap host /host
\$b mount -t tmpfs -o mode=755 own /own
\$b mkdir /own/upper /own/work
\$b mount -t overlay -o lowerdir=/host,upperdir=/own/upper,workdir=/own/work root /new
\$b mount --move /dev /new/dev
\$b mount --move /proc /new/proc
\$b mount --move /sys /new/sys
export PATH=/usr/sbin:/usr/bin:/sbin:/bin B='$B' PYTHON='$PYTHON'
exec \$b switch_root /new /bin/sh '$top/tests/ktls/machine.sh' '$kernel/lib/modules'
EOF
chmod 755 "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 >"$B/ktls/initramfs.gz"

log=$B/ktls/console
timeout "$SECONDS_MAX" qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 3G \
	-kernel "$kernel"/boot/vmlinuz-* -initrd "$B/ktls/initramfs.gz" -append 'console=ttyS0 quiet panic=-1' \
	-display none -monitor none -nodefaults -serial stdio -no-reboot \
	-fsdev local,id=host,path=/,security_model=passthrough,readonly=on,multidevs=remap \
	-device virtio-9p-pci,fsdev=host,mount_tag=host </dev/null | stdbuf -o0 tr -d '\r' | tee "$log" | sed -u -n '/^kernel /,/^ktls: /p'
grep -q '^ktls: 0$' "$log" || { echo "the console's log is in $log" >&2; exit 1; }
