#!/usr/bin/env bash
# A worker of tributary, for jobs that name its address. $TRIBUTARY is the binary.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

NAME=worker VERSION="of this machine" PORTS=2 # TaskManagers, health

service_install() { need curl "${TRIBUTARY:?is to name the binary}"; }

service_command() {
  CMD=("$TRIBUTARY" worker --listen "127.0.0.1:${PORT[0]}" --health "127.0.0.1:${PORT[1]}")
}

service_address() { echo "listen=127.0.0.1:${PORT[0]} health=127.0.0.1:${PORT[1]}"; }
service_ready() { curl -sfo /dev/null "http://127.0.0.1:${PORT[1]}/healthz"; }

main "$@"
