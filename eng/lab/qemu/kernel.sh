# shellcheck shell=bash
# Debian's kernel for virtual machines, made ready for QEMU. Sourced by fetch.sh.

# What the kernel needs to see this machine's files and to hand out what the command writes; the rest it loads from there.
first_modules=(virtio_pci virtio_console virtiofs)

# adapt_cloud ROOT: puts the kernel at ROOT/vmlinuz, and its first modules into ROOT/first, in the order to load them.
adapt_cloud() {
  local root=$1 version file number=10
  version=$(basename -- "$root"/usr/lib/modules/*)
  mv -- "$(find "$root/boot" "$root/usr/lib/modules/$version" -name 'vmlinuz*' 2>/dev/null | head -n 1)" "$root/vmlinuz"
  unpacked "$root" depmod -b "$root" "$version"
  mkdir "$root/first"
  while read -r file; do
    number=$((number + 1))
    # Built into some kernels, compressed in some.
    case $file in
      *.ko) cp -- "$file" "$root/first/$number.ko" ;;
      *.ko.xz) "$root/usr/bin/busybox" unxz -c "$file" >"$root/first/$number.ko" ;;
      *) fail "do not know how to unpack $file" ;;
    esac
  done < <(unpacked "$root" modprobe -d "$root" -S "$version" --all --show-depends "${first_modules[@]}" | awk '$1 == "insmod" && !seen[$2]++ { print $2 }')
}

# unpacked ROOT PROGRAM...: runs one of kmod's programs, which are one program of many names, with the libraries that came with it.
unpacked() {
  local libraries=$1/usr/lib/x86_64-linux-gnu
  "$libraries/ld-linux-x86-64.so.2" --argv0 "$2" --library-path "$libraries" "$1/usr/bin/kmod" "${@:3}"
}
