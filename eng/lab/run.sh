# shellcheck shell=bash
# Running a command in a guest, or right here. Sourced by lab.sh.
# What lab.sh sets is not seen to be set here:
# shellcheck disable=SC2154

# run_here COMMAND...
run_here() {
  local ulp=/proc/sys/net/ipv4/tcp_available_ulp
  modprobe tls 2>/dev/null || true
  grep -qsw tls "$ulp" ||
    fail "this machine's kernel ($(uname -r)) has no kernel TLS: no 'tls' in $ulp, and 'modprobe tls' did not help"
  exec -- "$@"
}

# run_in_guest LINUX ROOT COMMAND...: LINUX is User-mode Linux, or empty for QEMU; ROOT holds modprobe, its
# modules and busybox, or is empty where the kernel has everything built in.
run_in_guest() {
  local linux=$1 root=$2 folder
  shift 2
  for folder in "$here" "$cache" "$PWD"; do
    [[ $folder/ != /dev/* ]] || fail "the guest has a /dev of its own and so cannot see $folder: use another folder"
  done
  folder=$(realpath -- "${TMPDIR:-/tmp}")
  [[ $folder/ != /dev/* ]] || folder=/tmp
  run=$(mktemp -d "$folder/ktls-lab.XXXXXXXX" 2>/dev/null) || fail "cannot write to $folder: set TMPDIR to another folder"
  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  describe "$root" "$@"
  boot "$linux" "$root"
  # The shell would report how the guest ended, in its own words.
  exec {stderr}>&2 2>/dev/null

  # Whichever ends first: the guest, the caller, or whoever reads the command's output.
  wait -n "$guest" "$caller" "${readers[@]}" || true
  kill -0 "$caller" || exit 129
  if [[ ! -s $run/status ]] && kill -0 "$guest"; then exit 141; fi
  wait "$guest" "${readers[@]}" || true
  exec 2>&"$stderr"
  [[ -s $run/status ]] || fail "the guest died before the command ended: $(last_words)"
  exit "$(<"$run/status")"
}

# describe ROOT COMMAND...: writes down for the guest what to run and how.
describe() {
  # Seen by the guest's init, not here.
  # shellcheck disable=SC2034
  local root=$1 cwd=$PWD mask name user group groups merged=false command=("${@:2}")
  mask=$(umask)
  name=$(uname -n)
  user=$(id -u)
  group=$(id -g)
  groups=$(id -G)
  # One pipe for both keeps the order of what the command writes to both.
  if [[ /proc/self/fd/1 -ef /proc/self/fd/2 ]]; then merged=true; fi
  declare -p root preload cwd mask name user group groups merged command >"$run/command"
  # Unlike the shell's variables this is byte for byte what the caller gave.
  cat "/proc/$$/environ" >"$run/environ"
}

# boot LINUX ROOT: starts the guest. It writes to pipes, since it cannot wait for plain
# files and would change the modes of a terminal.
boot() {
  local pipe memory=$run machine processors
  if [[ -n $1 ]]; then
    memory=$(memory_folder)
    machine=(
      env ${kernel_preload:+"LD_PRELOAD=$kernel_preload"} "$(realpath -- "$1")" root=/dev/root rootfstype=hostfs rw mem="$mem" seccomp=auto uml_dir="$run/" umid=guest
      "init=\"$here/lab/init.sh\"" "ktls_lab=\"$run\"" con=null con0=null,fd:1 con1=null,fd:3 con2=null,fd:4
    )
  else
    machine=("$here/lab/qemu/machine.sh" "$run" "$cache/qemu" "$2" "$cpus" "$mem" "$here/lab/init.sh")
  fi
  # The last one that this script may run on.
  if $measure && ((cpus == 1)); then
    processors=$(taskset -cp "$$")
    machine=(taskset -c "${processors##*[ ,-]}" "${machine[@]}")
  fi
  for pipe in out err console; do mkfifo "$run/$pipe"; done
  cat "$run/out" &
  readers=("$!")
  cat "$run/err" >&2 &
  readers+=("$!")
  cat "$run/console" >"${log:-$run/log}" 2>/dev/null &
  readers+=("$!")
  # A session of its own, so that it and its helpers can be ended together.
  env -i PATH="$PATH" HOME="$run" TMPDIR="$memory" setsid setpriv --pdeathsig KILL \
    "${machine[@]}" </dev/null >"$run/console" 2>&1 3>"$run/out" 4>"$run/err" &
  guest=$!
  setpriv --pdeathsig KILL tail --pid="$PPID" -f /dev/null >/dev/null 2>&1 &
  caller=$!
  # Cleans up if this script is killed outright: then its end of this pipe closes without a word.
  # shellcheck disable=SC2016
  exec {keeper}> >(
    exec setsid bash -c 'read -r || { kill -KILL -- "-$1"; rm -rf -- "$2"; }' keeper "$guest" "$run" >/dev/null 2>&1
  )
}

# The guest's memory is a file that it runs code from; it is held open only and leaves no trace.
memory_folder() {
  local folder need=${mem%[MG]}
  [[ $mem == *M ]] || need=$((need * 1024))
  for folder in /dev/shm "${TMPDIR:-/tmp}"; do
    [[ -w $folder ]] && ! findmnt -nT "$folder" -o OPTIONS | grep -qw noexec &&
      (($(df -m --output=avail "$folder" | tail -n 1) > need)) && echo "$folder" && return
  done
  fail "no room for $mem of guest memory in /dev/shm or ${TMPDIR:-/tmp} (or mounted noexec): free some, set TMPDIR, or give a smaller --mem"
}

last_words() {
  local log=${log:-$run/log}
  grep -am 1 'Kernel panic' "$log" || grep -a . "$log" | tail -n 1
}

clean_up() {
  # What is gone already is no failure here.
  set +e
  exec 2>/dev/null
  if [[ -n ${guest:-} ]]; then
    kill -KILL -- "-$guest" "$guest"
    kill "${caller:-}" "${readers[@]}"
    [[ -z ${keeper:-} ]] || echo 'done' >&"$keeper"
    wait
  fi
  rm -rf -- "$run"
}
