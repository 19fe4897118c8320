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

kernel_suites=(KTls.Interop.Tests FileServer.Tests KTls.DataPlane.Tests KTls.Kernel.Tests KTls.Contract.Tests KTls.Kestrel.Tests)

# What requires a kernel with TLS runs in the lab.
host_suite() {
  suite "$1" dotnet exec "$(program "$1")" -noColor -class- '*.KernelTests'
}

# Those that start samples come later, since the commands of the pages build them.
host_suite KTls.Docs.Tests &
for name in KTls.Handshake.Tests KTls.Tests KTls.Contract.Tests; do
  host_suite "$name"
  report "$name"
done

# Forty seconds for all targets; a failure prints its input and how to try it once more (tests/Fuzz/README.md).
suite KTls.Fuzz dotnet exec tests/Fuzz/bin/Release/net10.0/KTls.Fuzz.dll run --seconds 40 --seed 1
report KTls.Fuzz
wait
report KTls.Docs.Tests

# job NAME COMMAND…: runs a command beside others. Each guest has one processor; one more of them than this machine has keeps all busy.
running=0
job() {
  if ((running > $(nproc))); then
    wait -n
    running=$((running - 1))
  fi
  {
    "${@:2}"
    echo "$1 has ended"
  } &
  running=$((running + 1))
}

echo
echo "== kernels ${kernels[*]}: about fifteen minutes on two processors"
# The longest start first. The packages are published and used outside the repository, in a kernel of their own.
job KTls.Packages.Tests suite KTls.Packages.Tests dotnet exec "$(program KTls.Packages.Tests)" -noColor
for name in "${kernel_suites[@]}"; do
  for kernel in "${kernels[@]}"; do
    # The matrix of peers and the wrong peers are about handshakes, which know no kernel, and how the kernels serve sites other clients
    # show faster than a browser: the newest one will do. Ten thousand connections in a row take four minutes where each system call is
    # traced, and show there what three thousand show.
    except=()
    settings=()
    if [[ $name == KTls.Interop.Tests && $kernel != "${kernels[-1]}" ]]; then
      except=(-namespace- KTls.Interop.Tests.Matrix -namespace- KTls.Interop.Tests.WrongPeers -namespace- KTls.Interop.Tests.Sites)
      settings=(KTLS_LEAK_CONNECTIONS=3000)
    fi
    job "$name-$kernel" suite "$name-$kernel" env "${settings[@]}" eng/lab.sh --kernel "$kernel" -- dotnet exec "$(program "$name")" -noColor "${except[@]}"
  done
done
for name in FileServer.Tests KTls.Kestrel.Tests; do
  job "$name" host_suite "$name"
done
wait
for name in FileServer.Tests KTls.Kestrel.Tests KTls.Packages.Tests; do
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
