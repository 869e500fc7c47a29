"""Field tables, encoded without loss."""

from pamqp import commands, encode, header
from pamqp.common import FieldTable, FieldValue


def encode_value(value: FieldValue) -> bytes:
    """Unlike pamqp's own, keeps 64-bit floats and texts that are not UTF-8, which it decodes but does not encode."""
    match value:
        case float():
            return b"d" + encode.double(value)
        case bytes():
            return b"S" + len(value).to_bytes(4, "big") + value
        case dict():
            return b"F" + encode_table(value)
        case list():
            items = b"".join(map(encode_value, value))
            return b"A" + len(items).to_bytes(4, "big") + items
        case _:
            return encode.encode_table_value(value)


def encode_table(table: FieldTable) -> bytes:
    pairs = b"".join(encode.short_string(key) + encode_value(value) for key, value in table.items())
    return len(pairs).to_bytes(4, "big") + pairs


class Properties(commands.Basic.Properties):
    """Message properties that survive being decoded and encoded again."""

    def encode_property(self, name: str, value: FieldValue) -> bytes:
        return encode_table(value) if isinstance(value, dict) else super().encode_property(name, value)


def encode_header(properties: commands.Basic.Properties, body_size: int) -> bytes:
    """The payload of a content header frame."""
    return header.ContentHeader(0, body_size, properties).marshal()
