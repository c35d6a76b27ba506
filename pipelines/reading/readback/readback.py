"""Reads every record of the files named as arguments, in their order, with fastavro or as JSON,
and holds it against the lines of `tributary show --json` on stdin. Prints how many there were."""

import base64
import gzip
import json
import math
import struct
import sys

import fastavro
import fastavro.read

# As they are stored, which is how show has them.
fastavro.read.LOGICAL_READERS.clear()


def main():
    records = 0
    for path in sys.argv[1:]:
        for where, schema, record in read(path):
            line = sys.stdin.readline()
            if not line:
                sys.exit(f"{where}: show has no such record: {record!r}")
            shown = json.loads(line)
            if schema is None:
                if not same(record, shown):
                    sys.exit(f"{where}: {record!r}\nshown as: {shown!r}")
            else:
                compare(where, schema, {}, record, shown)
            records += 1
    if rest := sys.stdin.readline():
        sys.exit(f"shown, but not read: {rest}")
    print(records)


def read(path):
    """Yields the place, the schema (None for JSON) and the record of each record."""
    if path.endswith(".avro"):
        with open(path, "rb") as file:
            reader = fastavro.reader(file)
            for i, record in enumerate(reader):
                yield f"{path}, record {i + 1}", reader.writer_schema, record
        return
    opened = gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")
    with opened as file:
        for i, line in enumerate(file):
            yield f"{path}, line {i + 1}", None, json.loads(line.decode("utf-8", "strict"))


def compare(where, schema, named, value, shown):
    """Fails unless shown is the JSON of value, by the types of the schema."""

    def check(ok):
        if not ok:
            sys.exit(f"{where}: {value!r} of {schema!r}\nshown as: {shown!r}")

    if isinstance(schema, str):
        schema = named.get(schema, schema)
    if isinstance(schema, list):
        check(any(fits(branch, named, value, shown) for branch in schema))
        return
    kind = schema["type"] if isinstance(schema, dict) else schema
    if isinstance(kind, (dict, list)):
        compare(where, kind, named, value, shown)
        return
    if isinstance(schema, dict) and "name" in schema:
        named[schema["name"]] = schema
    match kind:
        case "record":
            check(isinstance(shown, dict) and list(shown) == [f["name"] for f in schema["fields"]])
            for field in schema["fields"]:
                compare(f"{where}: {field['name']}", field["type"], named, value[field["name"]], shown[field["name"]])
        case "array":
            check(isinstance(shown, list) and len(shown) == len(value))
            for i, item in enumerate(value):
                compare(f"{where}: {i}", schema["items"], named, item, shown[i])
        case "map":
            check(isinstance(shown, dict) and shown.keys() == value.keys())
            for key, item in value.items():
                compare(f"{where}: {key}", schema["values"], named, item, shown[key])
        case "bytes" | "fixed":
            check(isinstance(value, bytes) and shown == base64.b64encode(value).decode())
        case "float" | "double":
            if not math.isfinite(value):
                check(shown is None)
            elif kind == "float":
                check(isinstance(shown, (int, float)) and struct.pack("<f", value) == struct.pack("<f", shown))
            else:
                check(isinstance(shown, (int, float)) and value == shown)
        case _:
            check(same(value, shown))


def fits(branch, named, value, shown):
    try:
        compare("", branch, named, value, shown)
    except (SystemExit, TypeError, KeyError, AttributeError):
        return False
    return True


def same(a, b):
    """Equal, and true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return a == b


main()
