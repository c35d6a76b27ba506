# shellcheck shell=bash
# What the service scripts share. Each of them sources this file, defines
#   NAME VERSION        of the service; the name also names its files in the cache
#   service_install     fetch what it needs into $CACHE; cheap when it is already there
#   service_command     set the array CMD, which runs it with its data in $DATA on $PORT
#   service_ready       succeed once it answers
# and ends with: main "$@".
set -euo pipefail

CACHE=$(realpath -m "${XDG_CACHE_HOME:-$HOME/.cache}/tributary/services")

die() { echo "$NAME: $*" >&2; exit 1; }

# go_binary FILE PACKAGE@VERSION: builds a Go command into FILE.
go_binary() {
  local file=$1 new=$1.new
  [[ ! -x $file ]] || return 0
  rm -rf "$new"
  # Outside of this module: its go.mod has no say in how the server is built.
  (cd / && GOFLAGS= GOBIN=$new CGO_ENABLED=0 go install "$2") >&2 || die "build of $2 failed"
  mv "$new"/* "$file"
  rmdir "$new"
}

listening() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the range that the kernel takes the ports of outgoing connections from.
free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)); listening "$port"; do :; done
  echo "$port"
}

running() { [[ -s $DATA/pid ]] && kill -0 "$(<"$DATA/pid")" 2>/dev/null; }

# Tests that start at the same time wait here for one download.
install() {
  mkdir -p "$CACHE"
  (flock 9; service_install) 9>"$CACHE/$NAME.lock"
}

start() {
  install
  mkdir -p "$DATA"
  if [[ -s $DATA/port ]]; then
    PORT=$(<"$DATA/port") # so that clients find it again after a restart
  else
    PORT=$(free_port)
    echo "$PORT" >"$DATA/port"
  fi
  if ! running; then
    service_command
    # A process group of its own, and no file of ours held open.
    setsid "${CMD[@]}" </dev/null >>"$DATA/log" 2>&1 &
    echo $! >"$DATA/pid"
  fi
  local deadline=$((SECONDS + WAIT))
  until service_ready; do
    running || die "it exited; the end of $DATA/log is: $(tail -n 20 "$DATA/log")"
    ((SECONDS < deadline)) || die "not ready after $WAIT s; see $DATA/log"
    sleep 0.1
  done
  running || die "another process answers on port $PORT; see $DATA/log"
  echo "127.0.0.1:$PORT"
}

# stop SIGNAL
stop() {
  running || return 0
  local group deadline=$((SECONDS + WAIT))
  group=-$(<"$DATA/pid")
  kill -s "$1" -- "$group"
  while kill -0 -- "$group" 2>/dev/null; do
    ((SECONDS < deadline)) || kill -s KILL -- "$group"
    sleep 0.1
  done
  rm "$DATA/pid"
}

usage() {
  cat <<END
usage: ${0##*/} install | start | stop | kill  [--data DIR] [--wait SECONDS]

  install   fetch $NAME $VERSION into $CACHE
  start     install, start, wait until it answers, print its address
  stop      stop it in an orderly way
  kill      stop it by kill -9, to test recovery

  --data    where its data, log, pid and port are; default: below the cache
  --wait    seconds to wait for start and stop, default 60
END
}

main() {
  local verb=${1:---help}
  shift || true
  DATA=$CACHE/data/$NAME WAIT=60
  while (($#)); do
    case $1 in
      --data) DATA=$(realpath -m "${2?}") ;;
      --wait) WAIT=${2?} ;;
      *) usage >&2; exit 2 ;;
    esac
    shift 2
  done
  case $verb in
    install | start) "$verb" ;;
    stop) stop TERM ;;
    kill) stop KILL ;;
    -h | --help) usage ;;
    *) usage >&2; exit 2 ;;
  esac
}
