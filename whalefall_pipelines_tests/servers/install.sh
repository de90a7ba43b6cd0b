#!/bin/sh
# Installs the servers and drivers that tests need and pip does not carry. Without root it says what is missing and what that costs.
set -eu

sh "$(dirname "$0")/install_mysql.sh"

needed=""
command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ] || needed="$needed mariadb-server-core"
# pyodbc links libodbc.so.2; tdsodbc is FreeTDS, the second of the two drivers for SQL Server.
command -v odbcinst >/dev/null 2>&1 || needed="$needed unixodbc"
# Microsoft's driver, which comes by pip, wants the system's Kerberos.
[ -n "$(find /usr/lib /lib -name 'libgssapi_krb5.so.2' 2>/dev/null | head -n 1)" ] || needed="$needed libgssapi-krb5-2"
odbcinst -q -d -n FreeTDS >/dev/null 2>&1 || needed="$needed tdsodbc"
# What carries runs to workers of zones.
command -v redis-server >/dev/null 2>&1 || needed="$needed redis-server"
[ -n "$needed" ] || exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing$needed for the tests …"
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $needed >/dev/null 2>&1 || {
        apt-get update -qq >/dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $needed >/dev/null
    }
else
    echo "Missing here:$needed. The tests of what it is for are skipped; install with: sudo apt-get install$needed" >&2
    [ "${CI:-}" != "true" ] || exit 1
fi
