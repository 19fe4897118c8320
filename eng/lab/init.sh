#!/bin/bash
# Process 1 of the guest: makes the kernel ready, runs the command, turns the kernel off.
# The kernel hands the folder of this run over in the environment; see describe() in run.sh.
# Shellcheck does not see the variables that come from there:
# shellcheck disable=SC1091,SC2154
set -uo pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
run=$ktls_lab
source "$run/command"
busybox=${root:+$root/usr/bin/busybox}

# The kernel mounts devtmpfs on /dev itself.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
ln -sf pts/ptmx /dev/ptmx
ln -sfT /proc/self/fd /dev/fd
ln -sf fd/0 /dev/stdin
ln -sf fd/1 /dev/stdout
ln -sf fd/2 /dev/stderr

setting() { echo "$2" >"/proc/sys/$1"; }
setting kernel/hostname "$name"
setting kernel/sysrq 1

# Modules and the modprobe that the kernel itself calls come from the small root that was fetched with it.
if [[ -d $root/usr/lib/modules ]]; then
  printf '#!/bin/sh\nexec "%s" chroot "%s" /usr/sbin/modprobe "$@"\n' "$busybox" "$root" >/dev/modprobe
  chmod +x /dev/modprobe
  setting kernel/modprobe /dev/modprobe
  [[ ! -d /lib/modules ]] || mount --bind "$root/usr/lib/modules" /lib/modules
  /dev/modprobe -qa tls ipv6 aesni_intel
fi

# Enough of everything for some ten thousand short connections in a row.
${busybox:+"$busybox"} ip link set lo up
setting net/ipv4/ip_local_port_range '1024 65535'
setting net/ipv4/tcp_tw_reuse 1
setting net/core/somaxconn 4096
ulimit -n 131072

# Pipes rather than the lines that lead outside themselves, so that the command sees no terminal. The lines
# stay open until the end: closing one would end the reader outside. Setting a mode waits for what was written
# to arrive; QEMU's lines are no terminals and need neither.
read -r out err <<<"${ktls_lines:-/dev/tty1 /dev/tty2}"
exec 3>"$out" 4>"$err"
make_raw() { [[ ! -t $1 ]] || stty raw -echo <&"$1"; }
make_raw 3
make_raw 4
exec 5> >(exec cat >&3)
copiers=("$!")
if $merged; then
  exec 6>&5
else
  exec 6> >(exec cat >&4 5>&-)
  copiers+=("$!")
fi

# The caller's own user, who owns the caller's files here too; one that is not root may do all that root may.
identity=()
((user == 0)) ||
  identity=(setpriv --reuid "$user" --regid "$group" --groups "${groups// /,}" --inh-caps=+all --ambient-caps=+all --)
mapfile -d '' -t environ <"$run/environ"
(
  exec 3>&- 4>&-
  cd "$cwd" 2>&6 || exit 126
  umask "$mask"
  # setsid gives it a session of its own; being named by its path it takes the command
  # for a command even if it looks like VARIABLE=value.
  exec env -i "${environ[@]}" ${preload:+"LD_PRELOAD=$preload"} "$(type -P setsid)" -- "${identity[@]}" "${command[@]}" </dev/null >&5 2>&6 5>&- 6>&-
)
status=$?
exec 5>&- 6>&-

# What the command left running would hold its output open.
for process in /proc/[0-9]*; do
  process=${process#/proc/}
  [[ " 1 ${copiers[*]} " == *" $process "* ]] || kill -KILL "$process"
done 2>/dev/null
wait "${copiers[@]}"
make_raw 3
make_raw 4
sync
echo "$status" >"$run/status"
echo o >/proc/sysrq-trigger
sleep 60
