#!/usr/bin/env bash
# Runs a SQL file as a job on a Flink session cluster: control.sh FILE.sql REST-ADDRESS
# Each ${NAME} in the file is taken from the environment. Prints `job ID`, and ends when the job does.
# shellcheck source-path=SCRIPTDIR source=../../runners/devcluster/services/lib.sh
here=$(dirname "$(realpath "$0")")
. "$here/../../runners/devcluster/services/lib.sh"

NAME=control VERSION=1.19.3 KAFKA_CONNECTOR=3.2.0-1.19
FLINK=$CACHE/flink-$VERSION
LIBS=$CACHE/flink-control-$VERSION

service_install() {
  [[ -d $FLINK ]] || "$here/../../runners/devcluster/services/flink.sh" install
  EXCLUDE=org.slf4j maven_libs "$LIBS" ae002ae67fac77c8d6984cefc3711ebe2f1ac7762c03f8649df973d6f49aa0a2 \
    "org.apache.flink:flink-sql-connector-kafka:$KAFKA_CONNECTOR" "org.apache.flink:flink-avro:$VERSION"
}

# fill FILE: its text, with the environment's values in place of their names.
fill() { perl -pe 's/\$\{(\w+)\}/$ENV{$1} \/\/ die "\$$1 is not set\n"/ge' "$1"; }

install
[[ $# == 2 ]] || { [[ ${1-} == install ]] && exit; die "usage: ${0##*/} FILE.sql REST-ADDRESS | install"; }
need java javac perl
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
fill "$1" >"$work/job.sql"
javac -d "$work" -cp "$FLINK/*" "$here/RunSQL.java"
# What the cluster has already must not be sent along: two copies of a class are two classes.
jars=$(find "$LIBS" -name '*.jar' ! -name 'flink-core*' -printf 'file://%p;')
opens=()
for package in java.{lang,net,io,nio,text,time,util} sun.nio.ch java.lang.reflect java.util.concurrent; do
  opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
java "${opens[@]}" -cp "$work:$FLINK/*:$LIBS/*" RunSQL "$work/job.sql" "$2" "${jars%;}" &
client=$!
# The client waits for the job, and is of no use once nobody waits for the client.
trap 'kill $client 2>/dev/null || true' TERM INT
wait "$client"
