# Writes views, likes, buys and shares by the serializers of Confluent's client: Avro with a reference, JSON Schema, Protobuf, and Avro whose
# schema is named in a header. It registers their schemas at the two registries that it is given the addresses of, the last kind at the
# second, and prints a record a line: topic, value and headers in hex.
import json
import sys

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2  # noqa: F401 (the pool must have timestamps)

client = SchemaRegistryClient({"url": sys.argv[1]})
other = SchemaRegistryClient({"url": sys.argv[2]})
start = int(sys.argv[3])

STAMP = {"type": "record", "name": "Stamp", "namespace": "shop", "fields": [{"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}
client.register_schema("stamp", Schema(json.dumps(STAMP), "AVRO"))
VIEW = {"type": "record", "name": "View", "namespace": "shop", "fields": [{"name": "id", "type": "string"}, {"name": "at", "type": "Stamp"}]}
view = AvroSerializer(client, Schema(json.dumps(VIEW), "AVRO", [SchemaReference("shop.Stamp", "stamp", 1)]))

LIKE = {"title": "Like", "type": "object", "properties": {"view": {"type": "string"}, "ts": {"type": "integer"}}}
like = JSONSerializer(json.dumps(LIKE), client, lambda value, _: value)

# message Log { message Buy { string view = 1; google.protobuf.Timestamp at = 2; int64 cents = 3; } }
file = descriptor_pb2.FileDescriptorProto(name="shop/log.proto", package="shop", syntax="proto3", dependency=["google/protobuf/timestamp.proto"])
file.message_type.add(name="First")
inner = file.message_type.add(name="Log").nested_type.add(name="Buy")
field = descriptor_pb2.FieldDescriptorProto
inner.field.add(name="view", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
inner.field.add(name="at", number=2, type=field.TYPE_MESSAGE, type_name=".google.protobuf.Timestamp", label=field.LABEL_OPTIONAL)
inner.field.add(name="cents", number=3, type=field.TYPE_INT64, label=field.LABEL_OPTIONAL)
pool = descriptor_pool.Default()
pool.Add(file)
Buy = message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Log.Buy"))
buy = ProtobufSerializer(Buy, client, {"use.deprecated.format": False})

SHARE = {"type": "record", "name": "Share", "fields": [{"name": "view", "type": "string"}, {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}
other.register_schema("shares-value", Schema(json.dumps(SHARE), "AVRO"))
conf = {"schema.id.serializer": header_schema_id_serializer, "auto.register.schemas": False, "use.latest.version": True}
share = AvroSerializer(other, Schema(json.dumps(SHARE), "AVRO"), conf=conf)


def put(topic, serializer, value):
    headers = []
    encoded = serializer(value, SerializationContext(topic, MessageField.VALUE, headers))
    print(json.dumps({"topic": topic, "value": encoded.hex(), "headers": [[name, text.hex()] for name, text in headers]}))


for i in range(40):
    at = start + 2000 * i
    put("views", view, {"id": f"v{i}", "at": {"ts": at}})
    if i % 2 == 0:
        put("likes", like, {"view": f"v{i}", "ts": at + 1000})
    if i % 3 == 0:
        bought = Buy(view=f"v{i}", cents=(1 << 53) + 1 if i == 0 else i)
        bought.at.FromMilliseconds(at + 1500)
        put("buys", buy, bought)
    if i % 5 == 0:
        put("shares", share, {"view": f"v{i}", "ts": at + 500})
