"""Holds CSV files of samples, read by DuckDB, or TFRecord files, read by tfrecord, against the Avro files of the same
samples, read by fastavro. Arguments: how many Avro files, these, the others, both in order. Prints how many records there were."""

import decimal
import gzip
import json
import struct
import sys
import uuid

import crc32c
import duckdb
import fastavro
import fastavro.read
import numpy
import tfrecord.example_pb2
import tfrecord.reader

# Times are the numbers as which they are stored.
for kind in list(fastavro.read.LOGICAL_READERS):
    if "time" in kind or "date" in kind:
        del fastavro.read.LOGICAL_READERS[kind]


def plain(schema):
    """The type without null, None if there are several."""
    if isinstance(schema, list):
        types = [t for t in schema if t != "null"]
        return types[0] if len(types) == 1 else None
    return schema


def cells(schema, value, path):
    """Yields the columns of a record: name, type and value."""
    of = plain(schema)
    if isinstance(of, dict) and isinstance(of["type"], dict):
        of = of["type"]
    if isinstance(of, dict) and of["type"] == "record":
        for field in of["fields"]:
            yield from cells(field["type"], None if value is None else value[field["name"]], path + [field["name"]])
        return
    yield ".".join(path), schema, value


def text(value):
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case decimal.Decimal():
            return format(value, "f")
        case bytes():
            raise SystemExit("bytes are told apart by nothing: use another type")
        case uuid.UUID() | int():
            return str(value)
        case float():
            return value
        case _:
            return json.loads(json.dumps(value))


def rows(path):
    """The rows of a CSV file."""
    table = duckdb.sql(
        f"FROM read_csv('{path}', header=true, all_varchar=true, delim=',', quote='\"', escape='\"', allow_quoted_nulls=false, "
        "strict_mode=true, hive_partitioning=false, max_line_size=4000000)"
    )
    return [list(zip(table.columns, row)) for row in table.fetchall()]


def compare_row(where, record, row):
    if [name for name, _, _ in record] != [name for name, _ in row]:
        sys.exit(f"columns {row!r}\nof {record!r}")
    for (name, _, value), (_, cell) in zip(record, row):
        value = text(value)
        if isinstance(value, float) and cell is not None:
            ok = float(cell) == value
        elif isinstance(value, (list, dict)) and cell is not None:
            ok = json.loads(cell) == value
        else:
            ok = cell == value
        if not ok:
            sys.exit(f"{where}, {name}: {cell!r} in CSV, {value!r} in Avro")


def examples(path):
    """The examples of a TFRecord file, whose CRCs are right."""
    packed = path.endswith(".gz")
    found = []
    for data in tfrecord.reader.tfrecord_iterator(path, compression_type="gzip" if packed else None):
        data = bytes(data)
        example = tfrecord.example_pb2.Example.FromString(data)
        if example.ByteSize() != len(data):
            sys.exit(f"{path}: protobuf writes {example} in {example.ByteSize()} bytes, not in {len(data)}")
        found.append((example, data))
    framed = b"".join(
        length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))
        for length, data in ((struct.pack("<Q", len(data)), data) for _, data in found)
    )
    with gzip.open(path) if packed else open(path, "rb") as file:
        if file.read() != framed:
            sys.exit(f"{path}: not framed as it should be")
    return [example for example, _ in found]


def masked(data):
    crc = crc32c.crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def compare_example(where, record, example):
    got = {name: (feature.WhichOneof("kind"), list(getattr(feature, feature.WhichOneof("kind")).value)) for name, feature in example.features.feature.items()}
    want = {name: feature(schema, value) for name, schema, value in record if value is not None}
    if got != want:
        sys.exit(f"{where}: {got!r} in TFRecord\n{want!r} in Avro")


def feature(schema, value):
    """The kind and the values that a feature should have."""
    of = plain(schema)
    if isinstance(of, dict) and not isinstance(of["type"], str):
        of = of["type"]
    if of is None:
        kinds = {t if isinstance(t, str) else t["type"] for t in schema} - {"null"}
        if kinds <= {"long", "int", "boolean"}:
            return "int64_list", [int(value)]
        if kinds <= {"long", "int", "boolean", "double", "float"}:
            return "float_list", [nearest(value)]
        value = text(value)
        if isinstance(value, float):
            sys.exit("no float in a union with text: use another value")
        return "bytes_list", [value.encode()]
    if isinstance(of, dict) and of["type"] == "array" and isinstance(of["items"], str):
        kind = {"string": "bytes_list", "double": "float_list", "long": "int64_list", "boolean": "int64_list"}[of["items"]]
        return kind, [feature(of["items"], item)[1][0] for item in value]
    match value:
        case bool() | int():
            return "int64_list", [int(value)]
        case float() | decimal.Decimal():
            return "float_list", [nearest(value)]
        case bytes():
            return "bytes_list", [value]
        case str() | uuid.UUID():
            return "bytes_list", [str(value).encode()]
        case _:
            return "bytes_list", [json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("\u2028", "\\u2028").encode()]


def nearest(value):
    with numpy.errstate(over="ignore"):
        return float(numpy.float32(str(value)))


def main():
    n = int(sys.argv[1])
    avro, others = sys.argv[2 : 2 + n], sys.argv[2 + n :]
    want = []
    for path in avro:
        with open(path, "rb") as file:
            reader = fastavro.reader(file)
            schema = json.loads(reader.metadata["avro.schema"])
            want += [list(cells(schema, record, [])) for record in reader]
    got = []
    for path in others:
        got += examples(path) if ".tfrecord" in path else rows(path)
    if len(want) != len(got):
        sys.exit(f"{len(want)} records in Avro, {len(got)} in the others")
    for i, (record, other) in enumerate(zip(want, got)):
        (compare_row if isinstance(other, list) else compare_example)(f"record {i + 1}", record, other)
    print(len(want))


main()
