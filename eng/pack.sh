#!/usr/bin/env bash
# eng/pack.sh [VERSION] [FOLDER]: makes the NuGet packages KTls.Handshake, KTls and KTls.Kestrel, with symbols, in FOLDER
# (artifacts/packages). Without a version it is that of the last tag vX.Y.Z; behind the tag, the next one in the making.
# eng/pack.sh --version: says that version and makes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

version_of_tag() {
  local described tag behind major minor patch
  if described=$(git describe --tags --long --match 'v[0-9]*.[0-9]*.[0-9]*' 2>/dev/null) && [[ $described =~ ^v([0-9.]+)-([0-9]+)-g[0-9a-f]+$ ]]; then
    tag=${BASH_REMATCH[1]}
    behind=${BASH_REMATCH[2]}
  else
    tag=0.0.0
    behind=$(git rev-list --count HEAD)
  fi
  IFS=. read -r major minor patch <<<"$tag"
  ((behind == 0)) && echo "$tag" || echo "$major.$minor.$((patch + 1))-dev.$behind"
}

if [[ ${1-} == --version ]]; then
  version_of_tag
  exit
fi

version=${1:-$(version_of_tag)}
folder=${2:-artifacts/packages}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
for project in Handshake/KTls.Handshake KTls/KTls Kestrel/KTls.Kestrel; do
  # In folders of their own: what other builds have left behind knows this machine's paths. ContinuousIntegrationBuild leaves them
  # out, so that the same commit makes the same programs everywhere.
  dotnet pack "src/$project.csproj" -c Release -v quiet -p:Version="$version" -p:ContinuousIntegrationBuild=true --artifacts-path artifacts/pack -o "$folder"
  echo "$folder/$(basename "$project").$version.nupkg"
done
