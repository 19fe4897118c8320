#!/usr/bin/env bash
# Runs BoringSSL's protocol tests against KTls.Handshake. KTLS_BOGO_RUNNER names the runner's program (README.md);
# arguments go to it, such as -test 'Basic-*'. The last line is "N passed, N failed", the log is artifacts/bogo/log.
set -euo pipefail
cd "$(dirname "$0")"

runner=$(realpath -- "${KTLS_BOGO_RUNNER:-}" 2>/dev/null) || runner=
if [[ ! -f $runner || ! -x $runner ]]; then
  echo "KTLS_BOGO_RUNNER must name BoringSSL's test runner, a program: tests/BoGo/README.md says where it comes from." >&2
  exit 2
fi

logs=$(realpath -m ../../artifacts/bogo)
mkdir -p "$logs"
dotnet build KTls.BoGo.csproj -c Release -v quiet -clp:ErrorsOnly

config=$PWD/config.json
if [[ ${KTLS_BOGO_DATA_PLANE:-} == RequireKernel ]]; then
  # The tests that the kernel decides, in the form of config.json.
  config=$logs/config.json
  sed '/"DisabledTests": {/r kernel.txt' config.json >"$config"
fi

# What is not implemented counts as failed: config.json names every test that does not run, with its reason.
status=0
"$runner" -pipe -shim-path "$PWD/bin/Release/net10.0/ktls-bogo-shim" -shim-config "$config" "$@" >"$logs/log" 2>&1 || status=$?

passed=$(grep -c '^PASSED (' "$logs/log") || true
failed=$( (grep -oE '^(FAILED|UNIMPLEMENTED) \(.*\)' "$logs/log" || true) | sort -u | wc -l)
if ((failed != 0)); then
  grep -A 12 -E '^(FAILED|UNIMPLEMENTED) \(' "$logs/log" || true
elif ((status != 0 || passed == 0)); then
  tail -n 20 "$logs/log"
  failed=1
fi

echo "$passed passed, $failed failed"
((failed == 0))
