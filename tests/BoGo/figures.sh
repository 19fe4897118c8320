#!/usr/bin/env bash
# Counts the runner's tests by the reason in config.json for which they do not run, and names patterns that no test has.
set -euo pipefail
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A shim that says of every test that it does not implement it: so the runner names them all, quickly.
printf '#!/bin/sh\n[ "$1" != -is-handshaker-supported ] || { echo No; exit 0; }\nexit 89\n' >"$work/shim"
chmod +x "$work/shim"
"$(realpath -- "${KTLS_BOGO_RUNNER:?names the runner, see README.md}")" -pipe -allow-unimplemented -shim-path "$work/shim" >"$work/log" 2>&1
sed -nE 's/^UNIMPLEMENTED \((.*)\)$/\1/p' "$work/log" | sort -u >"$work/names"

patterns=()
reasons=()
while IFS=$'\t' read -r pattern reason; do
  patterns+=("$pattern")
  reasons+=("$reason")
done < <(sed -n '/"DisabledTests"/,/^  }/p' config.json | sed -nE 's/^    "([^"]+)": "(.*)",?$/\1\t\2/p')

# Each test counts for the first pattern that it has; a pattern is used when any test has it.
declare -A used=()
enabled=0
while read -r name; do
  disabled=
  for i in "${!patterns[@]}"; do
    # The right side is a pattern, so it has no quotes.
    if [[ $name == ${patterns[i]} ]]; then
      used[$i]=1
      disabled=${disabled:-${reasons[i]}}
    fi
  done
  if [[ -n $disabled ]]; then
    echo "$disabled" >>"$work/disabled"
  else
    enabled=$((enabled + 1))
  fi
done <"$work/names"

sort "$work/disabled" | uniq -c | sort -rn
for i in "${!patterns[@]}"; do
  [[ -n ${used[$i]:-} ]] || echo "no test matches: ${patterns[i]}"
done
echo "$(wc -l <"$work/names") tests, $enabled enabled"
