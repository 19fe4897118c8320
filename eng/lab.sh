#!/usr/bin/env bash
# Runs a command in a real Linux kernel with kernel TLS. `eng/lab.sh --help` says how.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
home=~
cache=$(realpath -m -- "${KTLS_LAB_CACHE:-${XDG_CACHE_HOME:-$home/.cache}/ktls-lab}")
# shellcheck source=eng/lab/fetch.sh
source "$here/lab/fetch.sh"
# shellcheck source=eng/lab/run.sh
source "$here/lab/run.sh"

usage() {
  cat <<'TEXT'
Usage: eng/lab.sh [--kernel 6.1|6.12|7.2|host|PATH] [--cpus N] [--mem 2G] [--log FILE] [--measure] -- COMMAND...
       eng/lab.sh --prepare [--kernel 6.1|6.12|7.2] [--cpus N]
       eng/lab.sh --help

Runs COMMAND in a Linux kernel with kernel TLS: Debian's User-mode Linux, whose
root file system is this machine's. Directory, environment, arguments, standard
output, standard error and exit code are the command's own; its input is empty.
The guest ends with the command, with this script, or with the script's caller.

  --kernel K   6.1, 6.12 or 7.2 (the default): Debian's kernel of that series, 7.2
               being 7.2 or later; PATH: that User-mode Linux binary; host: no guest,
               the command runs right here, if this machine's kernel has kernel TLS
  --cpus N     processors, 1 if not given. User-mode Linux has one; with more, QEMU emulates
               a machine for Debian's kernel for virtual machines: true parallelism, but
               programs run 10 to 20 times slower
  --mem SIZE   memory of the guest, 2G if not given
  --log FILE   keeps the kernel's own messages in FILE
  --measure    for figures of speed: keeps the guest on one processor, without which each system
               call wakes another, and lets .NET optimize its code in the guest as it does
               elsewhere (lab/above-4g.c says what is in its way)
  --prepare    only fetches the kernels: the one named, or all three

Exit code 125: the lab itself failed, one line says why. 128+N: signal N ended the
command. What is fetched is kept in $KTLS_LAB_CACHE (~/.cache/ktls-lab if not set);
delete that folder to fetch newer kernels. KTLS_DEBIAN_MIRROR names the Debian
archive to fetch from, where this machine's apt sources name none.
TEXT
}

note() { printf 'lab: %s\n' "$*" >&2; }

# The lab's own failures end with a code that a command under test hardly uses itself.
fail() {
  note "$@"
  exit 125
}

kernel='' cpus=1 mem=2G log='' preload='' kernel_preload='' prepare=false measure=false
while (($#)); do
  case $1 in
    --kernel | --cpus | --mem | --log)
      (($# > 1)) || fail "$1 needs a value; see --help"
      printf -v "${1#--}" %s "$2"
      shift
      ;;
    --prepare) prepare=true ;;
    --measure) measure=true ;;
    --help) usage && exit ;;
    --) shift && break ;;
    *) fail "what is '$1'? The command goes after '--'; see --help" ;;
  esac
  shift
done
[[ $mem =~ ^[1-9][0-9]*[MG]$ ]] || fail "--mem wants a size such as 512M or 2G, not '$mem'"
[[ $cpus =~ ^[1-9][0-9]?$ ]] || fail "--cpus wants a number of processors, not '$cpus'"
[[ $cpus == 1 || ${kernel:-7.2} =~ ^(6\.1|6\.12|7\.2)$ ]] || fail "--cpus: only 6.1, 6.12 and 7.2 have more than one processor, not '$kernel'"

[[ -z $log ]] || { : >"$log"; } 2>/dev/null || fail "--log: cannot write to $log"

# fetch_kernel NAME: what it takes to boot it with so many processors.
fetch_kernel() {
  if ((cpus == 1)); then
    fetch "$1"
  else
    fetch qemu
    fetch "cloud-$1"
  fi
}

if $prepare; then
  case $kernel in
    '') for kernel in 6.1 6.12 7.2; do fetch_kernel "$kernel"; done ;;
    6.1 | 6.12 | 7.2) fetch_kernel "$kernel" ;;
    *) fail "--prepare fetches 6.1, 6.12 or 7.2, not '$kernel'" ;;
  esac
  exit
fi

# compile NAME: makes a library of lab/NAME.c, to be loaded before a program's own, and says where it is.
compile() {
  local library=$cache/$1.so
  if [[ ! -e $library || $here/lab/$1.c -nt $library ]]; then
    mkdir -p "$cache"
    # shellcheck source=eng/tools.sh
    (source "$here/tools.sh" cc && cc -shared -fPIC -O2 -o "$library.$$" "$here/lab/$1.c") >&2 || fail "cannot compile $here/lab/$1.c"
    mv "$library.$$" "$library"
  fi
  echo "$library"
}

# For the command, and for the guest's kernel.
if $measure; then preload=$(compile above-4g); fi

(($#)) || fail 'no command: eng/lab.sh [options] -- COMMAND...'
case ${kernel:=7.2} in
  host) run_here "$@" ;;
  6.1 | 6.12 | 7.2)
    fetch_kernel "$kernel"
    if ((cpus == 1)); then
      if [[ $kernel != 7.2 ]]; then kernel_preload=$(compile xstate); fi
      run_in_guest "$cache/$kernel/usr/bin/linux.uml" "$cache/$kernel" "$@"
    else
      run_in_guest '' "$cache/cloud-$kernel" "$@"
    fi
    ;;
  */*)
    [[ -x $kernel ]] || fail "--kernel $kernel: no such program"
    tools=''
    # A kernel of one's own has everything built in; all it may lack is a program to bring up lo.
    if ! type -P ip >/dev/null; then
      fetch tools
      tools=$cache/tools
    fi
    run_in_guest "$kernel" "$tools" "$@"
    ;;
  *) fail "--kernel $kernel: not 6.1, 6.12, 7.2, host or a path with a / in it" ;;
esac
