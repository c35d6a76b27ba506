#!/usr/bin/env bash
# Google Cloud Storage, played by fake-gcs-server with objects kept as files.
# Clients: export STORAGE_EMULATOR_HOST=<the printed address>.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

NAME=gcs VERSION=1.56.1
SERVER=$CACHE/fake-gcs-server-$VERSION

service_install() { go_binary "$SERVER" "github.com/fsouza/fake-gcs-server@v$VERSION"; }

service_command() {
  CMD=("$SERVER" -scheme http -host 127.0.0.1 -port "${PORT[0]}" -public-host "127.0.0.1:${PORT[0]}"
    -backend filesystem -filesystem-root "$DATA/objects" -log-level warn)
}

service_ready() { listening "${PORT[0]}"; }

main "$@"
