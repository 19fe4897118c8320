#!/usr/bin/env bash
# All tests in one command: unit tests and a short run of the fuzzer on the host, kernel tests in a real kernel of each supported version.
# The last line is "N passed, N failed". Logs stay in artifacts/test.
set -euo pipefail
cd "$(dirname "$0")/.."

kernels=(6.1 6.12 7.2)
logs=artifacts/test
passed=0
failed=0
failures=()
mkdir -p "$logs"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1

# suite NAME COMMAND…: runs a test program; its output goes to a log.
suite() {
  local log=$logs/$1.log
  "${@:2}" >"$log" 2>&1 </dev/null || echo "exit code $?" >>"$log"
}

# report NAME: shows a suite's log and adds up its summary. A program that ended without a summary, that executed no test
# or that skipped one counts as a failure: what did not run proves nothing.
report() {
  local log=$logs/$1.log summary total=0 bad=0
  printf '\n== %s\n' "$1"
  grep -avE '^ *(Discover|Starting|Finished|xUnit.net)' "$log" || true
  summary=$(grep -aoE 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+, Not Run: [0-9]+' "$log" | tail -n 1) || true
  if [[ $summary =~ Total:\ ([0-9]+),\ Errors:\ ([0-9]+),\ Failed:\ ([0-9]+),\ Skipped:\ ([0-9]+),\ Not\ Run:\ ([0-9]+) ]]; then
    total=${BASH_REMATCH[1]}
    bad=$((BASH_REMATCH[2] + BASH_REMATCH[3] + BASH_REMATCH[4] + BASH_REMATCH[5]))
  fi
  if ((total == 0)) || { ((bad == 0)) && grep -q '^exit code' "$log"; }; then
    echo "$1 did not end as a test program should: see $log"
    total=$((total + 1))
    bad=$((bad + 1))
  fi
  if ((bad)); then
    failures+=("$1")
  fi
  passed=$((passed + total - bad))
  failed=$((failed + bad))
}

program() {
  echo "tests/$1/bin/Release/net10.0/$1.dll"
}

source eng/tools.sh gcc cc objcopy
source eng/tools.sh --fetched curl openssl gnutls-cli gnutls-serv strace nginx chromium certutil pk12util h2load wrk
echo '== build'
dotnet build KTls.sln -c Release -v quiet -clp:ErrorsOnly
eng/lab.sh --prepare

kernel_suites=(KTls.DataPlane.Tests KTls.Kernel.Tests KTls.Contract.Tests KTls.Interop.Tests FileServer.Tests KTls.Kestrel.Tests)
rm -rf "$logs/taken"
mkdir "$logs/taken"

# What requires a kernel with TLS runs in the lab.
host_suite() {
  suite "$1" dotnet exec "$(program "$1")" -noColor -class- '*.KernelTests'
}

# The matrix of peers and the wrong peers are about handshakes, which know no kernel, and how the kernels serve sites other clients
# show faster than a browser: the newest one will do. Ten thousand connections in a row take four minutes where each system call is
# traced, and show there what a thousand show.
kernel_suite() {
  local name=${1%-*} kernel=${1##*-} except=() settings=()
  if [[ $name == KTls.Interop.Tests && $kernel != "${kernels[-1]}" ]]; then
    except=(-namespace- KTls.Interop.Tests.Matrix -namespace- KTls.Interop.Tests.WrongPeers -namespace- KTls.Interop.Tests.Sites)
    settings=(KTLS_LEAK_CONNECTIONS=1000)
  fi
  suite "$1" env "${settings[@]}" taskset -c "$processor" eng/lab.sh --kernel "$kernel" -- dotnet exec "$(program "$name")" -noColor "${except[@]}"
}

# run SUITE
run() {
  case $1 in
    # Forty seconds for all targets; a failure prints its input and how to try it once more (tests/Fuzz/README.md).
    KTls.Fuzz) suite KTls.Fuzz dotnet exec tests/Fuzz/bin/Release/net10.0/KTls.Fuzz.dll run --seconds 40 --seed 1 ;;
    # The packages are published and used outside the repository, in a kernel of their own.
    KTls.Packages.Tests) suite KTls.Packages.Tests taskset -c "$processor" dotnet exec "$(program KTls.Packages.Tests)" -noColor ;;
    *-*) kernel_suite "$1" ;;
    *) host_suite "$1" ;;
  esac
  touch "$logs/taken/$1/ended"
}

# worker PROCESSOR SUITE…: runs those that no other worker has taken. Guests stay on that processor: one that wanders between two
# takes several times as long, on virtual machines most of all.
worker() {
  local processor=$1 name started
  for name in "${@:2}"; do
    mkdir "$logs/taken/$name" 2>/dev/null || continue
    # Those that start samples or build come later, since the commands of the pages build the samples.
    if [[ $name =~ ^(KTls.Interop|FileServer|KTls.Kestrel|KTls.Packages) ]]; then
      while [[ ! -e $logs/taken/KTls.Docs.Tests/ended ]]; do sleep 1; done
    fi
    started=$SECONDS
    run "$name"
    echo "$name has ended after $((SECONDS - started)) s"
  done
}

# Guests of 6.1 and 6.12 trace each system call and hinder each other even from different processors: the second worker begins with
# them, the others with all else.
host_suites=(KTls.Docs.Tests KTls.Handshake.Tests KTls.Tests KTls.Contract.Tests KTls.Fuzz)
sample_suites=(FileServer.Tests KTls.Kestrel.Tests)
traced=()
others=("${host_suites[@]}" KTls.Packages.Tests)
for name in "${kernel_suites[@]}"; do
  for kernel in "${kernels[@]::2}"; do traced+=("$name-$kernel"); done
  others+=("$name-${kernels[-1]}")
done
others+=("${sample_suites[@]}")

echo
echo "== tests, on the host and in kernels ${kernels[*]}: twenty to fifty minutes on two processors"
mapfile -t processors < <(taskset -cp $$ | sed 's/.*: //' | tr , '\n' | while IFS=- read -r first last; do seq "$first" "${last:-$first}"; done)
for i in "${!processors[@]}"; do
  if ((i == 1)); then
    worker "${processors[i]}" "${traced[@]}" "${others[@]}" &
  else
    worker "${processors[i]}" "${others[@]}" "${traced[@]}" &
  fi
done
wait
for name in "${host_suites[@]}" "${sample_suites[@]}" KTls.Packages.Tests; do
  report "$name"
done

for kernel in "${kernels[@]}"; do
  for name in "${kernel_suites[@]}"; do
    report "$name-$kernel"
  done
done

# What failed once more at the end, where a cut log shows it, too.
for name in "${failures[@]}"; do
  printf '\n== failed in %s\n' "$name"
  grep -aA 15 '\[FAIL\]' "$logs/$name.log" || tail -n 15 "$logs/$name.log"
done
printf '\n%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
