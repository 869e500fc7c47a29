#!/usr/bin/env bash
# Starts RabbitMQ with the users of definitions.json, and their passwords from the environment.
#
# The definitions, with hashes in them, are written before every start, and RabbitMQ imports them at every start: a
# password that was changed holds after a restart. No password reaches a file, an argument or the server's environment.
set -euo pipefail
umask 077

template=$(dirname "$0")/definitions.json
definitions=${RABBITMQ_DEFINITIONS_FILE:-/var/lib/rabbitmq/definitions.json}

# RabbitMQ's: base64 of a salt of four bytes and the SHA-256 of salt and password.
hash_of() {
    local salt digest
    salt=$(head -c 3 /dev/urandom | base64)
    digest=$(printf '%s%s' "$salt" "$1" | sha256sum | cut -c 1-64)
    printf '%b' "$salt$(sed 's/../\\x&/g' <<<"$digest")" | base64 -w 0
}

text=$(<"$template")
for name in $(grep -o '@[A-Z_]*@' "$template" | tr -d @); do
    text=${text//"@$name@"/$(hash_of "${!name:?$name has no value}")}
    unset "$name"
done
printf '%s\n' "$text" >"$definitions.new"
if [[ $(id -u) == 0 ]] && id rabbitmq >/dev/null 2>&1; then
    chown rabbitmq "$definitions.new" # root of a container becomes this user before RabbitMQ reads it
fi
mv "$definitions.new" "$definitions"

(($#)) || set -- docker-entrypoint.sh rabbitmq-server
exec "$@"
