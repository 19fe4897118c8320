# shellcheck shell=bash
# Fetching the kernels, Debian's User-mode Linux and what it takes to run it, and the programs that
# the tests talk to: unpacked into small root file systems of their own, so that nothing of this
# machine's system is changed or relied upon. Sourced by lab.sh and tools.sh.
# What lab.sh sets is not seen to be set here:
# shellcheck disable=SC2154

# shellcheck source=eng/lab/qemu/kernel.sh
source "$(dirname "${BASH_SOURCE[0]}")/qemu/kernel.sh"

# fetch 6.1|6.12|7.2|cloud-6.1|cloud-6.12|cloud-7.2|qemu|tools|peers|nginx|chromium|load|compiler: makes sure that $cache/NAME is there.
fetch() {
  local name=$1 dir=$cache/$1 work=$cache/$1.partial lock
  is_fetched "$dir" && return
  [[ $(uname -m) == x86_64 ]] ||
    fail "Debian's User-mode Linux is for amd64, this is $(uname -m): use --kernel host on a kernel with kernel TLS"
  { mkdir -p "$cache" && [[ -w $cache ]]; } 2>/dev/null || fail "cannot write to $cache: set KTLS_LAB_CACHE to a folder that you own"
  exec {lock}>"$cache/$name.lock"
  flock --nonblock "$lock" || { note "waiting: another lab.sh is fetching $name" && flock "$lock"; }
  if ! is_fetched "$dir"; then
    rm -rf -- "$dir" "$work"
    mkdir "$work"
    download "$name" "$work"
    note "$name: unpacking"
    unpack "$work"/cache/archives "$work/root"
    adapt "$name" "$work/root" "$dir"
    echo "$dir" >"$work/root/fetched"
    mv -T -- "$work/root" "$dir"
    rm -rf -- "$work"
  fi
  exec {lock}>&-
}

# Kernels are named by the least version that they have: User-mode Linux, or the one for virtual machines ("cloud").
is_kernel() { [[ ${1#cloud-} == [0-9]* ]]; }

# A folder is renamed into place only when complete; the path within tells
# that it was not moved since, which an adapted program would not survive.
is_fetched() { [[ -f $1/fetched && $(<"$1/fetched") == "$1" ]]; }

# download NAME WORK: puts the packages into WORK/cache/archives.
download() {
  local name=$1 work=$2 packages=(user-mode-linux kmod patchelf busybox-static) suites suite version least=${1#cloud-}
  local mirror keyring
  case $name in
    *6.1) suites=(bookworm) ;;
    *6.12) suites=(trixie) ;;
    *7.2) suites=(forky sid) ;;
    qemu) suites=(stable) packages=(qemu-system-x86 virtiofsd) ;;
    tools) suites=(stable) packages=(busybox-static) ;;
    peers) suites=(stable) packages=(curl openssl gnutls-bin strace) ;;
    nginx) suites=(stable) packages=(nginx) ;;
    chromium) suites=(stable) packages=(chromium libnss3-tools patchelf) ;;
    compiler) suites=(bookworm) packages=(gcc libc6-dev patchelf) ;;
    load) suites=(stable) packages=(nghttp2-client wrk) ;;
  esac
  [[ $name != cloud-* ]] || packages=(linux-image-cloud-amd64 kmod liblzma5 busybox-static)
  need_apt
  find_mirror "$work"
  find_keyring "$work"
  for suite in "${suites[@]}"; do
    note "$name: reading the package list of Debian $suite"
    read_suite "$suite" "$work"
    version=$(apt "$work" cache policy "${packages[0]}" | awk '$1 == "Candidate:" { print $2 }')
    ! is_kernel "$name" || dpkg --compare-versions "$version" ge "$least~" && break
  done
  ! is_kernel "$name" || dpkg --compare-versions "$version" ge "$least~" ||
    fail "$mirror has no ${packages[0]} of $least or later in ${suites[*]} (found: ${version:-none})"
  note "$name: fetching ${packages[0]} $version and what it needs, from Debian $suite"
  # "install" rather than "download": it brings what the packages depend on, all from one suite.
  logged "$work" apt "$work" get -y --download-only install "${packages[@]}"
}

need_apt() {
  local tool
  for tool in apt-get apt-cache dpkg dpkg-deb; do
    type -P "$tool" >/dev/null ||
      fail "no $tool: Debian's kernels need apt, dpkg and (on other systems) KTLS_DEBIAN_MIRROR; or use --kernel PATH or --kernel host"
  done
}

# find_mirror WORK: sets mirror to a Debian archive: the one that the caller names, else that of this
# machine's apt sources, else (on Ubuntu) the one that the package debootstrap knows.
find_mirror() {
  local work=$1
  mirror=${KTLS_DEBIAN_MIRROR:-}
  [[ -n $mirror ]] || mirror=$(mirror_of_sources "$work")
  if [[ -z $mirror ]]; then
    read_host_lists "$work"
    mirror=$(mirror_of_sources "$work")
  fi
  if [[ -z $mirror ]]; then
    note 'looking up a Debian mirror in the package debootstrap'
    host_package "$work" debootstrap
    mirror=$(grep -rhoE 'https?://[^"[:space:]]+/debian\b' "$work/debootstrap/usr" | head -n 1) || true
  fi
  [[ -n $mirror ]] || fail 'no Debian mirror known here: set KTLS_DEBIAN_MIRROR to the address of a Debian archive'
}

# Asking apt spares us from reading its two formats of sources; it tells of those only whose lists it has read.
mirror_of_sources() {
  # shellcheck disable=SC2016
  host_apt "$1" get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Identifier: Packages' 'Component: main' 2>>"$1/log" |
    awk '$1 == "Debian" && $2 == "Debian" && $3 !~ /^cdrom:/ && !found++ { print $3 }' || true
}

# find_keyring WORK: sets keyring to the keys that Debian signs with.
find_keyring() {
  keyring=$(keyring_in /) && return
  note 'fetching the package debian-archive-keyring'
  host_package "$1" debian-archive-keyring
  keyring=$(keyring_in "$1/debian-archive-keyring")
}

keyring_in() {
  local file
  for file in "${1%/}"/usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
    [[ ! -r $file ]] || { echo "$file" && return; }
  done
  return 1
}

# read_suite SUITE WORK: reads the suite's package list.
read_suite() {
  local suite=$1 work=$2 older
  can_read_suite "$suite" "$work" && return
  # This system's keyring may be too old to know who signs the suite today: then
  # an older suite, whose signer it does know, has a newer keyring.
  for older in bullseye bookworm trixie; do
    grep -q 'is not signed' "$work/log" || break
    can_read_suite "$older" "$work" || continue
    note "fetching a newer debian-archive-keyring, of Debian $older"
    mkdir "$work/$older"
    (
      cd "$work/$older" || exit
      logged "$work" apt "$work" get -qq download debian-archive-keyring
      dpkg-deb -x debian-archive-keyring_*.deb .
    )
    keyring=$(keyring_in "$work/$older")
    can_read_suite "$suite" "$work" && return
  done
  fail_fetch "$work"
}

can_read_suite() {
  write_apt_conf "$2" "$1"
  apt "$2" get -qq update >"$2/log" 2>&1
}

# write_apt_conf WORK SUITE: an apt set-up of our own, which shares nothing with the system's but its proxies.
# The empty status file lets apt see no package as installed.
write_apt_conf() {
  local work=$1 suite=$2
  mkdir -p "$work"/{state/lists/partial,cache/archives/partial}
  : >"$work/state/status"
  echo "deb [arch=amd64 target=Packages signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
  cat >"$work/apt.conf" <<CONF
Dir::State "$work/state";
Dir::State::status "$work/state/status";
Dir::Cache "$work/cache";
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
#clear APT::Architectures;
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Default-Release "";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
CONF
}

# apt WORK get|cache ...: apt with that set-up.
apt() { LC_ALL=C "apt-$2" -c "$1/apt.conf" "${@:3}"; }

# host_apt WORK get|cache ...: apt with this machine's own sources; with lists of our own where it has none.
host_apt() {
  local options=()
  [[ ! -d $1/host/lists ]] ||
    options=(-o "Dir::State::Lists=$1/host/lists" -o "Dir::Cache=$1/host" -o Dir::State::Status=/dev/null -o APT::Sandbox::User=root)
  LC_ALL=C "apt-$2" "${options[@]}" "${@:3}"
}

read_host_lists() {
  [[ ! -d $1/host/lists ]] || return 0
  note "reading the package lists of this machine's apt sources"
  mkdir -p "$1/host/lists/partial" "$1/host/archives/partial"
  # A source that cannot be read may be one that is not needed.
  host_apt "$1" get -qq update >"$1/log" 2>&1 </dev/null || true
}

# host_package WORK PACKAGE: unpacks a package of this machine's own distribution into WORK/PACKAGE.
host_package() {
  local work=$1 package=$2
  mkdir "$work/$package"
  (
    cd "$work/$package" || exit
    host_apt "$work" get -qq download "$package" >"$work/log" 2>&1 ||
      { read_host_lists "$work" && logged "$work" host_apt "$work" get -qq download "$package"; }
    dpkg-deb -x "$package"_*.deb .
  )
}

# unpack ARCHIVES ROOT: unpacks packages into a root file system in today's layout, in which
# /lib and the like are links; some packages still carry them as folders.
unpack() {
  local archive folder
  for folder in bin sbin lib lib64; do
    mkdir -p "$2/usr/$folder"
    ln -s "usr/$folder" "$2/$folder"
  done
  for archive in "$1"/*.deb; do
    { dpkg-deb --fsys-tarfile "$archive" | tar -x --keep-directory-symlink --no-same-owner -C "$2"; } 2>/dev/null ||
      fail "cannot unpack $archive into $2: is the disk full?"
  done
}

# adapt NAME ROOT FINAL: lets programs that name their loader themselves run with the C library that came with them: the
# kernel, Chromium, which starts itself again and again, and the compiler, which starts others. Also lets modprobe find the
# modules where it looks for them.
adapt() {
  local libraries=usr/lib/x86_64-linux-gnu loader patchelf program
  loader=$libraries/ld-linux-x86-64.so.2
  patchelf=("$2/$loader" --library-path "$2/$libraries" "$2/usr/bin/patchelf" --set-interpreter "$3/$loader")
  if [[ $1 == cloud-* ]]; then
    adapt_cloud "$2"
  elif is_kernel "$1"; then
    ln -s ../lib/uml/modules "$2/usr/lib/modules"
    "${patchelf[@]}" --set-rpath "$3/$libraries" "$2/usr/bin/linux.uml"
  elif [[ $1 == chromium ]]; then
    "${patchelf[@]}" "$2/usr/lib/chromium/chromium" "$2/usr/lib/chromium/chrome_crashpad_handler"
  elif [[ $1 == compiler ]]; then
    for program in "$2"/usr/bin/x86_64-linux-gnu-{gcc-[0-9]*,as,ld.bfd,objcopy} "$2"/usr/lib/gcc/x86_64-linux-gnu/*/{cc1,collect2,lto-wrapper}; do
      # By RPATH, which its libraries follow, too.
      "${patchelf[@]}" --force-rpath --set-rpath "$3/$libraries" "$program"
    done
  fi
}

# logged WORK COMMAND...: runs a command of apt's quietly, or fails with its first error.
logged() {
  local work=$1
  shift
  "$@" >"$work/log" 2>&1 </dev/null || fail_fetch "$work"
}

fail_fetch() {
  local from="this machine's apt sources"
  fail "fetching from ${mirror:-$from} failed: $(grep -m 1 '^E:' "$1/log" || tail -n 1 "$1/log")"
}
