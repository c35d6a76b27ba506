"""Writes what tests hold this package to: the canonical form and CRC-64-AVRO of each schema in
canonical.json, and a file of forty views in each codec.
Wants fastavro==1.13.1, cramjam==2.14.0, backports.zstd==1.0.0."""

import json

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

VIEW = {
    "type": "record",
    "name": "View",
    "fields": [
        {"name": "view_id", "type": "string"},
        {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "features", "type": {"type": "array", "items": "float"}},
        {"name": "next", "type": ["null", "View"], "default": None},
    ],
}

with open("canonical.json") as file:
    rows = json.load(file)
for row in rows:
    row["canonical"] = to_parsing_canonical_form(json.loads(row["schema"]))
    row["fingerprint"] = fingerprint(row["canonical"], "CRC-64-AVRO")
with open("canonical.json", "w") as file:
    json.dump(rows, file, indent=1)
    file.write("\n")

views = [
    {"view_id": f"v{i:03}", "ts": 1_700_000_000_000 + i, "features": [i / 4] * (i % 5), "next": None}
    for i in range(40)
]
for codec in ["null", "deflate", "snappy", "zstandard"]:
    with open(f"{codec}.avro", "wb") as file:
        fastavro.writer(file, VIEW, views, codec=codec, sync_interval=300, metadata={"made.by": "fastavro"})
