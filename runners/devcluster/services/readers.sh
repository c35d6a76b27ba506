#!/usr/bin/env bash
# Python with the packages by which others read what tributary writes: fastavro, pandas, pyarrow,
# DuckDB and tfrecord. It is no server: start prints the interpreter.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

NAME=readers VERSION=2
READERS=$CACHE/readers-$VERSION

# fastavro unpacks snappy by cramjam, and zstandard by backports.zstd; tfrecord does not look at CRCs, crc32c does.
service_install() {
  python_venv "$READERS" fastavro==1.13.1 cramjam==2.14.0 backports.zstd==1.0.0 pandas==3.1.1 pyarrow==26.0.1 duckdb==2.0.1 \
    tfrecord==1.14.6 crc32c==2.9.post0 protobuf==7.36.2
}

tool "${1:-}" "$READERS/bin/python"
