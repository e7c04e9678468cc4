#!/usr/bin/env bash
# Installs what the checks or the tests need from the distribution, if it is missing.
#
#   deploy/native/packages.sh check    what `make check` needs
#   deploy/native/packages.sh test     what `make test` needs: the above and the real servers and browsers
#   deploy/native/packages.sh bench    what `make bench` needs: the above and what is measured beside us
#
# Says what is installed and why. Debian 12 and later have all of it.
set -euo pipefail

# package | what shows that it is there: a command, or a file | what for
check_needs() {
    cat <<'LIST'
nodejs|node|runs the type check of the browser's modules
npm|npm|installs the type checker
gettext|msgfmt|compiles the translations
LIST
}

test_needs() {
    check_needs
    cat <<'LIST'
chromium|chromium|the browser in which calls are tested
firefox-esr|firefox-esr|the other browser
ffmpeg|ffprobe|decodes and looks into the films that are made of recordings
coturn|turnserver|the relay through which media goes
iproute2|ip|joins network namespaces, to test under loss
radosgw|radosgw|the S3 server, with Object Lock
ceph-mon|ceph-mon|a part of it: who keeps the map
ceph-osd|ceph-osd|a part of it: who keeps the bytes
postgresql|/usr/lib/postgresql|the database
redis-server|redis-server|the broker, and what web processes tell each other through
haproxy|haproxy|the proxy in front of several web processes
python3-aiosmtpd|/usr/lib/python3/dist-packages/aiosmtpd|the mail server
python3-yaml|/usr/lib/python3/dist-packages/yaml|reads the compose file
libnss3-tools|certutil|makes browsers trust the certificate of a test's relay
fonts-dejavu-core|/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf|letters on the pages' pictures
LIST
}

bench_needs() {
    test_needs
    cat <<'LIST'
janus|janus|the media server that recording is measured beside
janus-tools|janus-pp-rec|makes films of what that one recorded
LIST
}

# What `$1` stands for is here: a file, or a command; root's directories are searched for everybody.
is_there() {
    case $1 in
        /*) [ -e "$1" ] ;;
        *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
    esac
}

main() {
    local needs package sign purpose missing=() as_root=()
    case ${1:-} in
        check) needs=$(check_needs) ;;
        test) needs=$(test_needs) ;;
        bench) needs=$(bench_needs) ;;
        *) echo "usage: $0 check|test|bench" >&2; return 2 ;;
    esac
    while IFS='|' read -r package sign purpose; do
        if ! is_there "$sign"; then
            [ ${#missing[@]} -gt 0 ] || echo "These packages are missing and will be installed:"
            printf '  %-18s %s\n' "$package" "$purpose"
            missing+=("$package")
        fi
    done <<<"$needs"
    [ ${#missing[@]} -gt 0 ] || return 0

    if ! command -v apt-get >/dev/null; then
        echo "There is no apt-get here; please install: ${missing[*]}" >&2
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "This needs root; please run: apt-get install ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"
}

main "$@"
