#!/usr/bin/env bash
# Runs the control of Kafka Streams, LeftJoin.java, with what it keeps in DIR: streams.sh start DIR. It is one JVM that does the
# jobs it is told on its standard input, one after another, and ends with that; LeftJoin.java says how.
# shellcheck source-path=SCRIPTDIR source=../../runners/devcluster/services/lib.sh
here=$(dirname "$(realpath "$0")")
. "$here/../../runners/devcluster/services/lib.sh"

NAME=streams VERSION=4.3.1 # that of the broker, kafka.sh
LIBS=$CACHE/kafka-streams-$VERSION

service_install() {
  maven_libs "$LIBS" 1a1e349478d572bf7b5083665d639bba0e7bd95d39c2169347b8096db7a56da4 \
    "org.apache.kafka:kafka-streams:$VERSION" org.slf4j:slf4j-simple:1.7.36
}

install
[[ $# == 2 && $1 == start ]] || { [[ ${1-} == install ]] && exit; die "usage: ${0##*/} start DIR | install"; }
need java javac
mkdir -p "$2"
javac -d "$2/classes" -cp "$LIBS/*" "$here/LeftJoin.java"
# As much heap as a TaskManager has here; RocksDB takes its memory beside it.
exec java -Xmx1664m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$2/classes:$LIBS/*" LeftJoin "$2/state"
