#!/usr/bin/env bash
# Apache Spark for Python, and its module for Avro: a download of 320 MB. It is no server: start
# prints the interpreter and the module's jar.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

NAME=spark VERSION=3.5.7
SPARK=$CACHE/spark-$VERSION

service_install() {
  python_venv "$SPARK" "pyspark==$VERSION"
  local jar=$SPARK/avro.jar
  [[ ! -e $jar ]] || return 0
  rm -rf "$SPARK/new"
  maven "$DEPENDENCY_PLUGIN:copy" -Dartifact="org.apache.spark:spark-avro_2.12:$VERSION" -DoutputDirectory="$SPARK/new"
  mv "$SPARK"/new/*.jar "$jar"
  rm -r "$SPARK/new"
}

tool "${1:-}" "python=$SPARK/bin/python avro=$SPARK/avro.jar"
