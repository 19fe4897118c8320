#!/usr/bin/env bash
# What may race, on two processors: every order of what can happen to a connection, and keys that change under load, on the newest kernel
# and on 6.12, under QEMU.
# Takes some minutes, and is no part of eng/test.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
programs=artifacts/parallel

# publish PROJECT: compiled ahead of time a program starts several times faster on emulated processors. The lock files know of no
# such build and stay out of it.
publish() {
  dotnet publish "$1" -c Release -r linux-x64 --self-contained false --artifacts-path "$programs/build" -o "$programs/$(basename "$1")" \
    -p:PublishReadyToRun=true -p:RestorePackagesWithLockFile=false -p:NuGetLockFilePath=none.json -v quiet -clp:ErrorsOnly
}

publish tests/KTls.DataPlane.Tests
publish samples/RekeyStress
for kernel in 7.2 6.12; do
  echo "== Linux $kernel, two processors"
  KTLS_INTERLEAVING=3 eng/lab.sh --kernel "$kernel" --cpus 2 -- \
    dotnet exec "$programs/KTls.DataPlane.Tests/KTls.DataPlane.Tests.dll" -noColor -class '*InterleavingTests'
  eng/lab.sh --kernel "$kernel" --cpus 2 -- \
    dotnet exec "$programs/RekeyStress/RekeyStress.dll" --updates 1000 --connections 8 --seed 1 --patience 120
done
