#!/usr/bin/env bash
# machine.sh RUN QEMU KERNEL CPUS MEM INIT: a machine with several processors, which QEMU emulates, and beside it virtiofsd, which gives
# it this machine's files. RUN is the folder of this run, QEMU and KERNEL are what fetch.sh has fetched. Started by run.sh.
set -euo pipefail
run=$1 qemu=$2 kernel=$3 cpus=$4 mem=$5 init=$6
here=$(cd "$(dirname "$0")" && pwd -P)
libraries=$qemu/usr/lib/x86_64-linux-gnu
loader=("$libraries/ld-linux-x86-64.so.2" --library-path "$libraries")

# Paths below are short and without commas, which QEMU's options and sockets want.
cd "$run"
mkdir initramfs
cp -r -- "$kernel/first" "$kernel/usr/bin/busybox" "$here/init" initramfs
(cd initramfs && find . | ./busybox cpio -o -H newc >../initrd)

"${loader[@]}" "$qemu/usr/libexec/virtiofsd" --socket-path=files --shared-dir=/ --sandbox=none --cache=always &
until [[ -S files ]]; do
  kill -0 $! || exit
  sleep 0.05
done

# erms and fsrm mark string instructions as fast, which they are not here. The emulation has no use for mitigations.
exec "${loader[@]}" "$qemu/usr/bin/qemu-system-x86_64" -L "$qemu/usr/share/qemu" -L "$qemu/usr/share/seabios" \
  -no-user-config -nodefaults -display none -no-reboot \
  -machine q35,memory-backend=memory -accel tcg,thread=multi -cpu max,-erms,-fsrm -smp "$cpus" \
  -m "$mem" -object "memory-backend-memfd,id=memory,size=$mem,share=on" \
  -device virtio-serial-pci -chardev file,id=out,path=/proc/self/fd/3 -device virtserialport,chardev=out,nr=1 \
  -chardev file,id=err,path=/proc/self/fd/4 -device virtserialport,chardev=err,nr=2 \
  -chardev socket,id=files,path=files -device vhost-user-fs-pci,chardev=files,tag=root \
  -serial stdio -kernel "$kernel/vmlinuz" -initrd initrd \
  -append "console=ttyS0 panic=-1 mitigations=off ktls_lab=\"$run\" ktls_init=\"$init\" ktls_lines=\"/dev/vport0p1 /dev/vport0p2\""
