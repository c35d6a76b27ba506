#!/usr/bin/env bash
# Python with the packages by which others read what tributary writes: fastavro, pandas, pyarrow and
# DuckDB. It is no server: start prints the interpreter.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

NAME=readers VERSION=1
READERS=$CACHE/readers-$VERSION

# fastavro unpacks snappy by cramjam, and zstandard by backports.zstd.
service_install() {
  python_venv "$READERS" fastavro==1.13.1 cramjam==2.14.0 backports.zstd==1.0.0 pandas==3.1.1 pyarrow==26.0.1 duckdb==2.0.1
}

tool "${1:-}" "$READERS/bin/python"
