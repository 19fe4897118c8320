#!/usr/bin/env bash
# eng/tools.sh [--fetched] COMMAND…: makes sure that the named commands can be run, without changing the system.
# Sourced, it puts those that are missing here into the caller's PATH; with --fetched all of them, so that every machine has
# the same ones. They come from Debian's packages, unpacked beside the lab's kernels, and run with the libraries that came
# with them; so neither root nor this system's versions matter.
set -euo pipefail

tools_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
cache=$(realpath -m -- "${KTLS_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/ktls-lab}")

note() { printf 'tools: %s\n' "$*" >&2; }

fail() {
  note "$@"
  exit 125
}

# shellcheck source=eng/lab/fetch.sh
source "$tools_here/lab/fetch.sh"

# set_of COMMAND: the set of packages that has it. Chromium is large (some 210 MB to fetch, 800 MB unpacked), so the others go without.
set_of() {
  case $1 in
    nginx) echo nginx ;;
    chromium | certutil | pk12util) echo chromium ;;
    h2load | wrk) echo load ;;
    cc | gcc | objcopy) echo compiler ;;
    *) echo peers ;;
  esac
}

# folder_of SET: where its commands are put. The compiler is in one of its own, behind the caller's PATH: a machine's own comes first,
# also when it came later.
folder_of() {
  if [[ $1 == compiler ]]; then echo "$cache/compiler-bin"; else echo "$cache/bin"; fi
}

# wrap COMMAND SET: a script that runs the unpacked command with its own loader, libraries and settings.
wrap() {
  local root=$cache/$2 file run options= file_of_wrapper
  local libraries=$root/usr/lib/x86_64-linux-gnu
  run="\"$libraries/ld-linux-x86-64.so.2\" --library-path \"$libraries\""
  case $1 in
    nginx) file=$root/usr/sbin/nginx ;;
    chromium)
      # It starts itself again, so its loader stands in it (fetch.sh), and its libraries in the environment.
      file=$root/usr/lib/chromium/chromium
      run="env LD_LIBRARY_PATH=\"$libraries:$libraries/pulseaudio\" FONTCONFIG_SYSROOT=\"$root\""
      ;;
    # Their loader stands in them, too. What they make has to run here, so it is an older Debian's, with its own headers and libraries.
    cc | gcc)
      file=$root/usr/bin/gcc
      run="env"
      options="--sysroot=$root -B$root/usr/bin/"
      ;;
    objcopy)
      file=$root/usr/bin/objcopy
      run="env"
      ;;
    *) file=$root/usr/bin/$1 ;;
  esac
  [[ -x $file ]] || fail "the packages that were fetched have no $1"
  mkdir -p "$(folder_of "$2")"
  file_of_wrapper=$(folder_of "$2")/$1
  cat >"$file_of_wrapper.$$" <<SCRIPT
#!/bin/sh
export OPENSSL_CONF="\${OPENSSL_CONF:-$root/etc/ssl/openssl.cnf}" OPENSSL_MODULES="$libraries/ossl-modules"
exec $run "$file" $options "\$@"
SCRIPT
  chmod +x "$file_of_wrapper.$$"
  mv -- "$file_of_wrapper.$$" "$file_of_wrapper"
}

missing=()
wants_all=false
if [[ ${1-} == --fetched ]]; then
  wants_all=true
  shift
fi
for tool; do
  if $wants_all || ! type -P "$tool" >/dev/null; then missing+=("$tool"); fi
done
if ((${#missing[@]})); then
  for tool in "${missing[@]}"; do
    set=$(set_of "$tool")
    fetch "$set"
    [[ -x $(folder_of "$set")/$tool ]] || wrap "$tool" "$set"
    case $set in
      compiler) PATH=$PATH:$cache/compiler-bin ;;
      *) PATH=$cache/bin:$PATH ;;
    esac
  done
  export PATH
fi
