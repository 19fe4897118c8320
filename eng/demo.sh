#!/usr/bin/env bash
# The main job in one command: a file travels from disk to curl through the kernel's TLS.
# On a host whose kernel has TLS it runs there; else in the lab (a real kernel as a process, see eng/lab.sh).
# Usage: eng/demo.sh [--kernel 6.1|6.12|7.2|host|PATH]
set -euo pipefail
cd "$(dirname "$0")/.."

kernel=
case ${1:-} in
  --kernel) kernel=${2:?--kernel needs a value} ;;
  '') ;;
  *) echo "usage: eng/demo.sh [--kernel 6.1|6.12|7.2|host|PATH]" >&2; exit 2 ;;
esac
if [[ -z $kernel ]]; then
  kernel=7.2
  grep -qw tls /proc/sys/net/ipv4/tcp_available_ulp 2>/dev/null && kernel=host
fi

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
source eng/tools.sh curl openssl strace

echo "1/5  Building FileServer"
dotnet build samples/FileServer -c Release -v quiet -clp:ErrorsOnly
echo "2/5  Starting a kernel with kernel TLS ($kernel)"
exec eng/lab.sh --kernel "$kernel" -- bash eng/demo/inside.sh
