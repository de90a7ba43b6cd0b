#!/bin/sh
# Unpacks the MySQL of Debian's unstable suite, with the libraries that it wants, into a private folder outside the checkout: no stable
# Debian has a MySQL, and nothing of the system is touched. Once; needs no root. That suite moves: without it the tests of MySQL are
# skipped, so nothing here fails a run. Starting it is `mysql.py`.
set -u

cache="${XDG_CACHE_HOME:-$HOME/.cache}/whalefall-tests/mysql"
[ ! -d "$cache/root" ] || exit 0

without() {
    echo "No MySQL: $1. Its tests are skipped." >&2
    echo "$1." 2>/dev/null >"$cache/why_absent"
    exit 0
}

mkdir -p "$cache" || without "$cache cannot be made"
for program in apt-get dpkg-deb flock; do
    command -v $program >/dev/null 2>&1 || without "this machine has no $program"
done
exec 9>"$cache/lock"
flock 9
[ ! -d "$cache/root" ] || exit 0

# Wherever apt takes Debian's own packages from, in one of its two formats.
mirror="$(apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI)' 2>/dev/null | sed -n 's/^Debian main //p' | grep -v security | head -n 1)"
[ -n "$mirror" ] || mirror="$(cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs: *\([^ ]*\).*/\1/p' | grep -v security | head -n 1)"
[ -n "$mirror" ] || mirror="$(sed -n 's/^deb \(\[[^]]*\] \)*\([^ ]*\) .*/\2/p' /etc/apt/sources.list 2>/dev/null | grep -v security | head -n 1)"
[ -n "$mirror" ] || without "apt knows no Debian mirror"

echo "Fetching MySQL for the tests (once; 70 MB) …"
work="$cache/work"
rm -rf "$work"
mkdir -p "$work/state/lists/partial" "$work/archives/partial" "$work/root" && : >"$work/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$work/sources.list"
# With an empty status every library is fetched, so that nothing depends on what the system happens to have.
set -- -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State="$work/state" \
    -o Dir::State::status="$work/status" -o Dir::Cache="$work" -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 \
    -o APT::Update::Post-Invoke= -o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30
{
    timeout 300 apt-get "$@" update && timeout 600 apt-get "$@" install -y --download-only --no-install-recommends mysql-server-core
} >"$work/log" 2>&1 || without "Debian's unstable suite did not bring mysql-server-core ($work/log says why)"
for package in "$work"/archives/*.deb; do
    dpkg-deb -x "$package" "$work/root" >>"$work/log" 2>&1 || without "$package cannot be unpacked"
done
[ -x "$work/root/usr/sbin/mysqld" ] || without "the package has no usr/sbin/mysqld"
mv "$work/root" "$cache/root"
rm -f "$cache/why_absent"
rm -rf "$work"
