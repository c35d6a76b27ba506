#!/usr/bin/env bash
# Amazon S3, played by Versity Gateway with objects kept as files.
# Clients: export AWS_ENDPOINT_URL=<the printed address>, AWS_REGION=us-east-1, and "tributary" as
# AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. The first directories below buckets/ are buckets.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

NAME=s3 VERSION=1.8.0
SERVER=$CACHE/versitygw-$VERSION

service_install() { go_binary "$SERVER" "github.com/versity/versitygw/cmd/versitygw@v$VERSION"; }

service_prepare() { mkdir -p "$DATA/buckets" "$DATA/attributes"; }

service_command() {
  CMD=("$SERVER" --port "$HOST:${PORT[0]}" --access tributary --secret tributary --health /health --quiet
    posix --sidecar "$DATA/attributes" "$DATA/buckets")
}

service_address() { echo "http://$HOST:${PORT[0]}"; }

service_ready() { curl -sfo /dev/null "$(service_address)/health"; }

main "$@"
