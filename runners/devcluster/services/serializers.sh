#!/usr/bin/env bash
# Python with the client of Confluent's schema registry, by whose serializers others write what tributary
# reads. It is no server: start prints the interpreter.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

NAME=serializers VERSION=1
SERIALIZERS=$CACHE/serializers-$VERSION

service_install() {
  python_venv "$SERIALIZERS" confluent-kafka==2.16.1 attrs==26.1.0 authlib==1.9.10 cachetools==8.0.2 certifi==2026.10.19.post1 fastavro==1.13.1 \
    googleapis-common-protos==1.76.0 httpx==0.28.1 jsonschema==4.26.0 protobuf==7.36.2
}

tool "${1:-}" "$SERIALIZERS/bin/python"
