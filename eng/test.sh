#!/usr/bin/env bash
# All tests in one command: unit tests on the host, kernel tests in a real kernel of each supported version.
# The last line is "N passed, N failed". Logs stay in artifacts/test.
set -euo pipefail
cd "$(dirname "$0")/.."

kernels=(6.1 6.12 7.2)
logs=artifacts/test
passed=0
failed=0
mkdir -p "$logs"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1

# suite NAME COMMAND…: runs a test program and adds up its summary. A program that ends without a summary, that
# executed no test or that skipped one counts as a failure: what did not run proves nothing.
suite() {
  local name=$1 log=$logs/$1.log status=0 total=0 bad=0 skipped=0
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$log" | grep -vE '^ *(Discover|Starting|Finished|xUnit.net)' || true
  status=${PIPESTATUS[0]}
  local summary
  summary=$(grep -aoE 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+, Not Run: [0-9]+' "$log" | tail -n 1) || true
  if [[ $summary =~ Total:\ ([0-9]+),\ Errors:\ ([0-9]+),\ Failed:\ ([0-9]+),\ Skipped:\ ([0-9]+),\ Not\ Run:\ ([0-9]+) ]]; then
    total=${BASH_REMATCH[1]}
    skipped=$((BASH_REMATCH[4] + BASH_REMATCH[5]))
    bad=$((BASH_REMATCH[2] + BASH_REMATCH[3] + skipped))
  fi
  if ((total == 0 || (status != 0 && bad == 0))); then
    echo "$name ended with exit code $status and without a sound summary: see $log"
    bad=$((bad + 1))
    total=$((total + 1))
  fi
  passed=$((passed + total - bad))
  failed=$((failed + bad))
}

program() {
  echo "tests/$1/bin/Release/net10.0/$1.dll"
}

source eng/tools.sh curl openssl gnutls-cli gnutls-serv strace
echo '== build'
dotnet build KTls.sln -c Release -v quiet -clp:ErrorsOnly
eng/lab.sh --prepare

for name in KTls.Handshake.Tests KTls.Tests FileServer.Tests; do
  suite "$name" dotnet exec "$(program "$name")" -noColor
done

for kernel in "${kernels[@]}"; do
  for name in KTls.Kernel.Tests FileServer.Tests; do
    suite "$name-$kernel" eng/lab.sh --kernel "$kernel" -- dotnet exec "$(program "$name")" -noColor
  done
done

printf '\n%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
