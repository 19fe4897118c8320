#!/usr/bin/env bash
# use.sh PROGRAM…: inside a kernel with TLS, both servers of the consumer serve curl and the consumer's own client.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$folder"' EXIT
head -c 1000000 /dev/urandom >"$folder/file"

# Until a server listens, curl fails to connect.
get() {
  curl --silent --show-error --fail --retry 60 --retry-connrefused --retry-delay 1 --cacert "$1" "${@:2}"
}

"$@" site 5001 "$folder/site.pem" >"$folder/site.log" 2>&1 &
"$@" files 5002 "$folder/files.pem" "$folder/file" >"$folder/files.log" 2>&1 &
until [[ -s $folder/site.pem && -s $folder/files.pem ]]; do sleep 0.1; done
get "$folder/site.pem" https://localhost:5001/
echo
get "$folder/site.pem" --http1.1 https://localhost:5001/
echo
get "$folder/files.pem" --http0.9 --output "$folder/copy" https://localhost:5002/
cmp "$folder/file" "$folder/copy"
"$@" fetch 5002 "$folder/files.pem"
