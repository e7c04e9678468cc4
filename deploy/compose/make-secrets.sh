#!/usr/bin/env bash
# Makes ./secrets and ./.env beside this script: an authority of this installation's own, certificates
# by it, and random passwords. Nothing that is there is replaced.
#
#   deploy/compose/make-secrets.sh visits.example.test turn.example.test
#
# proxy.pem and turn.pem are what browsers see. Put your own in their place (with the chain; the key
# beside it as .key): no browser knows this authority.
set -euo pipefail
umask 077

if [ $# -ne 2 ]; then
    echo "usage: $0 NAME-PEOPLE-TYPE NAME-OF-THE-RELAY" >&2
    exit 2
fi
host=$1 turn=$2
cd "$(dirname "$0")"
if [ -e secrets ] || [ -e .env ]; then
    echo "There is a ./secrets or ./.env already; nothing was changed." >&2
    exit 1
fi
mkdir secrets

key() {
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null ||
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null
}

# certificate NAME HOST... : secrets/NAME.pem and its key, for these hosts, by our authority.
certificate() {
    local name=$1 hosts
    shift
    hosts=$(printf ',DNS:%s' "$@")
    key "secrets/$name.pem.key"
    openssl req -new -key "secrets/$name.pem.key" -subj "/CN=$1" |
        openssl x509 -req -sha256 -days 825 -CA secrets/servers-ca.pem -CAkey "$authority" \
            -set_serial "0x$(openssl rand -hex 16)" -out "secrets/$name.pem" -extfile <(
            printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n' \
                "${hosts#,}"
        ) 2>/dev/null
}

# The authority's key is not kept: it signs these five and nothing ever again.
authority=$(mktemp)
trap 'rm -f "$authority"' EXIT
key "$authority"
openssl req -x509 -new -sha256 -days 3650 -key "$authority" -subj "/CN=Consilium servers" \
    -addext keyUsage=critical,keyCertSign,cRLSign -out secrets/servers-ca.pem
certificate postgresql postgresql localhost
certificate redis redis localhost
certificate web web-1 web-2 localhost
certificate proxy "$host"
certificate turn "$turn"

redis_password=$(openssl rand -hex 32)
turn_secret=$(openssl rand -hex 32)
sed -e "s|^CONSILIUM_HOST=.*|CONSILIUM_HOST=$host|" \
    -e "s|^TURN_HOST=.*|TURN_HOST=$turn|" \
    -e "s|^CONSILIUM_SECRET_KEY=.*|CONSILIUM_SECRET_KEY=$(openssl rand -hex 32)|" \
    -e "s|^POSTGRES_PASSWORD=.*|POSTGRES_PASSWORD=$(openssl rand -hex 32)|" \
    -e "s|^REDIS_PASSWORD=.*|REDIS_PASSWORD=$redis_password|" \
    -e "s|^TURN_SECRET=.*|TURN_SECRET=$turn_secret|" .env.example >.env
{ cat redis.conf; echo "requirepass $redis_password"; } >secrets/redis.conf
{ cat turnserver.conf; echo "static-auth-secret=$turn_secret"; } >secrets/turnserver.conf

# Who reads what inside the containers: the images' own accounts, each its own files.
if [ "$(id -u)" -eq 0 ]; then
    chmod 711 secrets
    chmod 644 secrets/servers-ca.pem
    chown 999:999 secrets/postgresql.pem* secrets/redis.*
    chown 65534:65534 secrets/turn.pem* secrets/turnserver.conf
    chown 99:99 secrets/proxy.pem*
    chown 10001:10001 secrets/web.pem*
else
    echo "Not root: give the files in ./secrets to the accounts of the containers (see the script)." >&2
fi
echo "Made ./secrets and ./.env. Now say in ./.env where mail and recordings go."
