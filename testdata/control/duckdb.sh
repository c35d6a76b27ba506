#!/usr/bin/env bash
# Python with a DuckDB that reads and writes Avro: an extension is of one release of DuckDB alone, and this is the
# newest of which PyPI has both, so that nothing is fetched when it runs. start prints the interpreter.
# shellcheck source-path=SCRIPTDIR source=../../runners/devcluster/services/lib.sh
. "$(dirname "$0")/../../runners/devcluster/services/lib.sh"

NAME=duckdb-avro VERSION=1.5.5
DUCKDB=$CACHE/duckdb-avro-$VERSION

service_install() {
  python_venv "$DUCKDB" "duckdb==$VERSION" "duckdb-extension-avro==$VERSION"
}

tool "${1:-}" "$DUCKDB/bin/python"
