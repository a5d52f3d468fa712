#!/bin/sh
# Makes secrets/ for compose.yaml: passwords of both stores, and one app with a certificate. What is there stays.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
made() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }
write() { [ -e "secrets/$1" ] && return; cat >"secrets/$1.new"; mv "secrets/$1.new" "secrets/$1"; echo "deploy/secrets/$1"; }

made 24 | write postgres-password
echo "REDIS_PASSWORD=$(made 24)" | write redis.env
. secrets/redis.env
write signalpost.env <<END
SIGNALPOST_STORE=postgresql://signalpost:$(cat secrets/postgres-password)@postgres/signalpost
SIGNALPOST_SHARE=redis://signalpost:$REDIS_PASSWORD@redis:6379/0
SIGNALPOST_APPS=myapp:$(made 16)
END
