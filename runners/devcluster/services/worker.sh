#!/usr/bin/env bash
# A worker of tributary, for jobs that name its address. $TRIBUTARY is the binary. WORKER_HOST is where it listens, as 127.0.0.2 for
# the second TaskManager of flink.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

NAME=worker VERSION="of this machine" PORTS=2 # TaskManagers, health
HOST=${WORKER_HOST:-$HOST}

service_install() { need curl "${TRIBUTARY:?is to name the binary}"; }

service_command() {
  CMD=("$TRIBUTARY" worker --listen "$HOST:${PORT[0]}" --health "$HOST:${PORT[1]}")
}

service_address() { echo "listen=$HOST:${PORT[0]} health=$HOST:${PORT[1]}"; }
service_ready() { curl -sfo /dev/null "http://$HOST:${PORT[1]}/healthz"; }

main "$@"
