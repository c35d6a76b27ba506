# Writes views, cart events and purchases of a shop into one topic each for Avro, JSON Schema and Protobuf, by the serializers of Confluent's
# client: subjects are named by topic and record. It prints a record a line, topic and value in hex.
import json
import sys

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

client = SchemaRegistryClient({"url": sys.argv[1]})
start = int(sys.argv[2])
conf = {"subject.name.strategy": topic_record_subject_name_strategy}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}


def avro(name, **fields):
    return AvroSerializer(client, json.dumps({"type": "record", "name": name, "namespace": "shop", "fields": [{"name": n, "type": t} for n, t in fields.items()]}), conf=conf)


def schema(name):
    return JSONSerializer(json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", "title": name, "type": "object"}), client, lambda value, _: value, conf=conf)


file = descriptor_pb2.FileDescriptorProto(name="shop/types.proto", package="shop", syntax="proto3")
field = descriptor_pb2.FieldDescriptorProto
for name, fields in {"View": "id ts", "Cart": "cart view ts", "Buy": "view ts cents"}.items():
    message = file.message_type.add(name=name)
    for number, f in enumerate(fields.split(), 1):
        message.field.add(name=f, number=number, type=field.TYPE_INT64 if f in ("ts", "cents", "cart") else field.TYPE_STRING, label=field.LABEL_OPTIONAL)
pool = descriptor_pool.Default()
pool.Add(file)


def message(name):
    made = message_factory.GetMessageClass(pool.FindMessageTypeByName("shop." + name))
    serializer = ProtobufSerializer(made, client, {"use.deprecated.format": False, **conf})
    return lambda value, context: serializer(made(**value), context)


serializers = {
    "avro": {"View": avro("View", id="string", ts=MILLIS), "Cart": avro("Cart", cart="long", of="string", at=MILLIS), "Buy": avro("Buy", view="string", ts=MILLIS, cents="long")},
    "json": {name: schema("shop." + name) for name in ("View", "Cart", "Buy")},
    "protobuf": {name: message(name) for name in ("View", "Cart", "Buy")},
}


def put(name, value):
    for topic, of in serializers.items():
        if topic == "avro" and name == "Cart":  # has none of the fields of others
            encoded = {"cart": value["cart"], "of": value["view"], "at": value["ts"]}
        else:
            encoded = value
        print(json.dumps({"topic": topic, "value": of[name](encoded, SerializationContext(topic, MessageField.VALUE)).hex()}))


for i in range(60):
    at = start + 3000 * i
    put("View", {"id": f"v{i}", "ts": at})
    for n in range(i % 3):
        put("Cart", {"cart": n, "view": f"v{i}", "ts": at + 500 * n})
    if i % 4 == 1:
        put("Buy", {"view": f"v{i - i % 32}", "ts": at + 1500, "cents": 100 * i})
