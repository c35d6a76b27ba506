# shellcheck shell=bash
# What the service scripts share. Each of them sources this file, defines
#   NAME VERSION        of the service; the name also names its files in the cache
#   PORTS               how many ports it listens on, if not 1
#   HOST                where, if not 127.0.0.1
#   service_install     fetch what it needs into $CACHE; cheap when it is already there
#   service_command     set the array CMD, which runs it with its data in $DATA on the ports in the array PORT
#   service_ready       succeed once it answers
# and, where the defaults below do not do,
#   service_prepare     set up a new $DATA for the array PORT
#   service_address     print what a client connects to
# and ends with: main "$@".
set -euo pipefail
umask 077 # what servers keep is records of users, and what is fetched is run

CACHE=$(realpath -m "${XDG_CACHE_HOME:-$HOME/.cache}/tributary/services")
PORTS=1 HOST=127.0.0.1

service_prepare() { :; }
service_address() { echo "$HOST:${PORT[0]}"; }

die() { echo "$NAME: $*" >&2; exit 1; }

need() {
  local command
  for command in "$@"; do
    command -v "$command" >/dev/null || die "$command is not installed"
  done
}

# go_binary FILE PACKAGE@VERSION: builds a Go command into FILE.
go_binary() {
  local file=$1 new=$1.new
  [[ ! -x $file ]] || return 0
  need go
  rm -rf "$new"
  # Outside of this module: its go.mod has no say in how the server is built.
  (cd / && GOFLAGS= GOBIN=$new CGO_ENABLED=0 go install "$2") >&2 || die "build of $2 failed"
  mv "$new"/* "$file"
  rmdir "$new"
}

# checksum DIR: of all files in it, their names included; poms are written here.
checksum() {
  (cd "$1" && find . -type f ! -name pom.xml -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
}

# place DIR NEW CHECKSUM...: moves what was fetched to its place, if it is what it was when its checksum was written down; several
# are those of several kinds of machines.
place() {
  local dir=$1 new=$2 got
  shift 2
  got=$(checksum "$new")
  [[ " $* " == *" $got "* ]] ||
    die "what was fetched for ${dir##*/} has checksum $got on $(uname -m), not $*: it is left in $new and not used"
  mv -T "$new" "$dir"
}

DEPENDENCY_PLUGIN=org.apache.maven.plugins:maven-dependency-plugin:3.6.1

# One Maven at a time: two of them may spoil a file that both fetch into the local repository.
maven() {
  need mvn java
  (flock 8; mvn -q -B "$@" >&2) 8>"$CACHE/maven.lock" || die "mvn $* failed"
}

# maven_libs DIR CHECKSUM GROUP:ARTIFACT:VERSION...: puts the artifacts and all they need at run time
# into DIR, but for what is of the group $EXCLUDE.
maven_libs() {
  local dir=$1 new=$1.new sum=$2 group artifact release
  shift 2
  [[ ! -d $dir ]] || return 0
  rm -rf "$new"
  mkdir "$new"
  {
    echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
    echo '<groupId>local</groupId><artifactId>libs</artifactId><version>1</version><packaging>pom</packaging><dependencies>'
    while IFS=: read -r group artifact release; do
      echo "<dependency><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$release</version>"
      echo "<exclusions><exclusion><groupId>${EXCLUDE:-none}</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>"
    done < <(printf '%s\n' "$@")
    echo '</dependencies></project>'
  } >"$new/pom.xml"
  maven -f "$new/pom.xml" "$DEPENDENCY_PLUGIN:copy-dependencies" -DincludeScope=runtime -DoutputDirectory=.
  place "$dir" "$new" "$sum"
}

# maven_archive DIR CHECKSUM GROUP:ARTIFACT:VERSION:tar.gz:CLASSIFIER: unpacks that artifact into DIR.
maven_archive() {
  local dir=$1 new=$1.new sum=$2
  [[ ! -d $dir ]] || return 0
  rm -rf "$new"
  maven "$DEPENDENCY_PLUGIN:copy" -Dartifact="$3" -DoutputDirectory="$new"
  tar --no-same-permissions -xzf "$new"/*.tar.gz -C "$new"
  rm "$new"/*.tar.gz
  place "$dir" "$new" "$sum"
}

# python_files DIR "CHECKSUM..." PACKAGE==VERSION PATH: puts what is below PATH of a Python package into DIR.
python_files() {
  local dir=$1 new=$1.new sums=$2
  [[ ! -d $dir ]] || return 0
  need python3
  rm -rf "$new"
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    --no-compile --no-deps --target "$new" "$3" >&2 || die "pip install $3 failed"
  # shellcheck disable=SC2086 # several
  place "$dir" "$new/$4" $sums
  rm -r "$new"
}

# python_venv DIR PACKAGE==VERSION...: makes a Python environment with the packages in DIR.
python_venv() {
  local dir=$1 new=$1.new
  shift
  [[ ! -d $dir ]] || return 0
  need python3
  rm -rf "$new"
  python3 -m venv "$new" >&2 || die "python3 -m venv failed"
  "$new/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir "$@" >&2 || die "pip install $* failed"
  mv -T "$new" "$dir"
}

# npm_packages DIR CHECKSUM LOCK: puts the packages of a lock file of npm, each in its version and with its checksum, into DIR, by the
# Node.js in $NODE.
npm_packages() {
  local dir=$1 new=$1.new
  [[ ! -d $dir ]] || return 0
  rm -rf "$new"
  mkdir "$new"
  cp "$3" "$new/package-lock.json"
  sed -n 's/^    "": //; T; s/,$//; p' "$3" >"$new/package.json"
  # No package's own script is run.
  "$NODE/bin/node" "$NODE/lib/node_modules/npm/bin/npm-cli.js" ci --prefix "$new" --ignore-scripts --no-bin-links --no-audit --no-fund --no-update-notifier --loglevel=error >&2 ||
    die "npm ci of ${3##*/} failed"
  # It is for machines: 60 % are sources, types and maps. What npm notes has the registry's address in it.
  find "$new" \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.md' -o -name .package-lock.json \) -delete
  rm "$new/package.json" "$new/package-lock.json"
  place "$dir" "$new" "$2"
}

# tool VERB ADDRESS: main of what is no server, but a program to be run by others.
tool() {
  mkdir -p "$CACHE"
  case ${1:-} in
    install) install ;;
    start) install && echo "$2" ;;
    *) echo "usage: ${0##*/} install | start    start prints where $NAME is" >&2; exit 2 ;;
  esac
}

listening() { (: <"/dev/tcp/$HOST/$1") 2>/dev/null; }

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

# choose_ports sets PORT and lays out a new data directory; an old one keeps its ports, so that
# clients find the service again after a restart.
choose_ports() {
  local port
  if [[ -s $DATA/ports ]]; then
    read -ra PORT <"$DATA/ports"
    return
  fi
  if ((${#PORT[@]})); then
    for ((port = PORT[0]; ${#PORT[@]} < PORTS; )); do PORT+=("$((++port))"); done
    for port in "${PORT[@]}"; do
      ! listening "$port" || die "port $port is in use; $NAME needs $PORTS from ${PORT[0]} on"
    done
  else
    while ((${#PORT[@]} < PORTS)); do PORT+=("$(free_port)"); done
  fi
  service_prepare
  echo "${PORT[*]}" >"$DATA/ports"
}

# watch GROUP OWNER stops the process group when the process OWNER has ended: a test that was
# killed leaves no server behind. It looks for the group's leader, which is there already when
# its group may not be yet.
watch() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  setsid bash -c 'while kill -0 "$2" && kill -0 "$1"; do sleep 1; done; kill -- "-$1"' _ "$1" "$2" \
    </dev/null >/dev/null 2>&1 7>&- &
}

start() {
  install
  mkdir -p "$DATA"
  exec 7>"$DATA/lock"
  flock 7 # a second start waits for the first, and then only prints the address
  choose_ports
  if ! running; then
    service_command
    [[ ! -e $DATA/log ]] || mv "$DATA/log" "$DATA/log.previous"
    # A process group of its own, and no file of ours held open.
    setsid "${CMD[@]}" </dev/null >"$DATA/log" 2>&1 7>&- &
    echo $! >"$DATA/pid"
    [[ -z $OWNER ]] || watch "$(<"$DATA/pid")" "$OWNER"
  fi
  local deadline=$((SECONDS + WAIT))
  until service_ready; do
    running || die "it exited; the end of $DATA/log is: $(tail -n 20 "$DATA/log")"
    ((SECONDS < deadline)) || die "not ready after $WAIT s; see $DATA/log"
    sleep 0.1
  done
  running || die "another process answers on port ${PORT[0]}; see $DATA/log"
  service_address
}

# stop SIGNAL
stop() {
  running || return 0
  local group deadline=$((SECONDS + WAIT))
  group=-$(<"$DATA/pid") # setsid made it the leader of a process group
  kill -s "$1" -- "$group"
  while kill -0 -- "$group" 2>/dev/null; do
    ((SECONDS < deadline)) || kill -s KILL -- "$group"
    sleep 0.1
  done
  rm "$DATA/pid"
}

status() {
  running || { echo "stopped"; return 3; }
  read -ra PORT <"$DATA/ports"
  service_ready || { echo "starting"; return 4; }
  service_address
}

usage() {
  cat <<END
usage: ${0##*/} install | start | stop | kill | status  [--data DIR] [--port N] [--owner PID] [--wait SECONDS]

  install   fetch $NAME $VERSION into $CACHE
  start     install, start, wait until it answers, print its address
  stop      stop it in an orderly way
  kill      stop it by kill -9, to test recovery
  status    print its address; exit status 3 if stopped, 4 if not ready yet

  --data    where its data, log, pid and ports are; default: below the cache
  --port    first of its $PORTS ports on 127.0.0.1, for a new data directory; default: any free ones
  --owner   stop it when this process has ended
  --wait    seconds to wait for start and stop, default 120
END
}

main() {
  local verb=${1:---help}
  shift || true
  DATA=$CACHE/data/$NAME WAIT=120 PORT=() OWNER=
  while (($#)); do
    case $1 in
      --data) DATA=$(realpath -m "${2?}") ;;
      --port) PORT=("${2?}") ;;
      --owner) OWNER=${2?} ;;
      --wait) WAIT=${2?} ;;
      *) usage >&2; exit 2 ;;
    esac
    shift 2
  done
  case $verb in
    install | start | status) "$verb" ;;
    stop) stop TERM ;;
    kill) stop KILL ;;
    -h | --help) usage ;;
    *) usage >&2; exit 2 ;;
  esac
}
