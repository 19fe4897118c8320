#!/usr/bin/env bash
# Runs inside a kernel with kernel TLS; eng/demo.sh starts it.
set -euo pipefail
size_mib=256
server_dll=samples/FileServer/bin/Release/net10.0/FileServer.dll
work=$(mktemp -d /dev/shm/ktls-demo.XXXXXX)
server_pid=

stop_server() {
  if [[ -n $server_pid ]]; then
    # Under strace the server is the child; strace itself does not heed SIGTERM while it has one.
    local child
    child=$(grep -ls "^PPid:[[:space:]]*$server_pid\$" /proc/[0-9]*/status | cut -d/ -f3) || true
    kill -TERM ${child:-"$server_pid"} 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
    server_pid=
  fi
}
trap 'stop_server; rm -rf "$work"' EXIT

# start_server PLANE [WRAPPER…]: sets port; the server's output stays in $work/PLANE.log.
start_server() {
  local plane=$1 log=$work/$1.log
  shift
  # Emptied here and not only in the background, lest the port of an earlier server be read from it.
  : >"$log"
  "$@" dotnet exec "$server_dll" --root "$work/www" --listen 127.0.0.1:0 --cert "$work/cert.pem" --key "$work/key.pem" --data-plane "$plane" >"$log" 2>&1 &
  server_pid=$!
  for _ in $(seq 300); do
    port=$(sed -nE 's|^Listening on https://127\.0\.0\.1:([0-9]+)/.*|\1|p' "$log")
    [[ -n $port ]] && return
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "the server did not start:" >&2
  cat "$log" >&2
  exit 1
}

# download PLANE: fetches the file, compares it, prints how long it took.
download() {
  local started ended sum
  started=$(date +%s%N)
  curl --silent --show-error --fail --tlsv1.3 --cacert "$work/cert.pem" "https://localhost:$port/file.bin" \
    --resolve "localhost:$port:127.0.0.1" | sha256sum | cut -d' ' -f1 >"$work/sum"
  ended=$(date +%s%N)
  sum=$(<"$work/sum")
  [[ $sum == "$expected" ]] || { echo "     DIFFERENT: $1 delivered $sum, the file is $expected" >&2; exit 1; }
  printf '     %-10s SHA-256 %.16s… is the same, %d MiB in %d ms\n' "$1" "$sum" "$size_mib" $(((ended - started) / 1000000))
}

counters() {
  awk '$1 ~ /^Tls(TxSw|RxSw|DecryptError)$/ {printf " %s=%s", $1, $2}' /proc/net/tls_stat
}

echo "     $(uname -sr)"
echo "3/5  Making a file of $size_mib MiB and a certificate"
mkdir "$work/www"
head -c "${size_mib}M" /dev/urandom >"$work/www/file.bin"
expected=$(sha256sum <"$work/www/file.bin" | cut -d' ' -f1)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null

echo "4/5  Downloading it with curl"
before=$(counters)
start_server require-kernel
download kernel
stop_server
echo "     /proc/net/tls_stat before:$before"
echo "     /proc/net/tls_stat after: $(counters)"
[[ $before != "$(counters)" ]] || { echo "the kernel's counters did not move" >&2; exit 1; }
grep -a 'Kernel' "$work/require-kernel.log" | sed 's/^/     /' || { echo "the server's log names no kernel data plane" >&2; exit 1; }
start_server sslstream
download SslStream
stop_server
grep -q 'aesni\|-aes-ce' /proc/crypto || echo "     (this kernel has no AES instructions, so the times say nothing: docs/PERFORMANCE.md)"

echo "5/5  Once more under strace: the system calls that moved the body"
start_server require-kernel strace -f -qq -o "$work/trace" -e trace=sendfile,sendto,sendmsg,read,pread64,preadv,write
download traced
stop_server
awk '/sendfile/ && match($0, /= [0-9]+$/) {calls++; bytes += substr($0, RSTART + 2)}
     END {printf "     sendfile(2): %d calls, %d bytes\n", calls, bytes; exit bytes == expected ? 0 : 1}' \
  expected=$((size_mib * 1024 * 1024)) "$work/trace" || { echo "the body did not leave by sendfile alone" >&2; exit 1; }
grep -m1 'sendfile(' "$work/trace" | sed 's/^[0-9]* */     e.g. /'
echo "Done: the kernel sealed the file, and curl got every byte of it."
