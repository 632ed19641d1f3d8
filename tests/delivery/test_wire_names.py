"""The types against the Delivery API's own description: every schema, every property, every word of an enum."""

import enum
import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_decisioning import delivery
from target_decisioning.delivery.base import Model
from tests.shared import shared_json

FREE_FORM = {"Parameters", "ResponseTokens", "TraceResponse"}
DISCRIMINATOR = "$_type"  # of the description's own inheritance; it survives as any unknown field does


@functools.cache
def schemas():
    return shared_json("delivery-api/openapi.json")["components"]["schemas"]


def resolved(schema):
    return resolved(schemas()[schema["$ref"].rsplit("/", 1)[1]]) if "$ref" in schema else schema


def properties_of(schema):
    """Return a schema's properties, inherited ones included."""
    schema = resolved(schema)
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        found |= properties_of(part)
    return {name: part for name, part in found.items() if name != DISCRIMINATOR}


def is_object(schema):
    return bool(properties_of(schema))


def test_every_schema_has_a_type_of_its_name():
    assert set(schemas()) <= set(delivery.__all__)
    assert all(getattr(delivery, name)() == {} for name in FREE_FORM)


def test_every_property_is_a_field_and_no_other():
    for name, schema in schemas().items():
        if is_object(schema):
            assert set(getattr(delivery, name)._plan.by_wire_name) == set(properties_of(schema)), name


def test_every_word_of_an_enum_is_a_member():
    for name, schema in schemas().items():
        if "enum" in schema:
            assert [member.value for member in getattr(delivery, name)] == schema["enum"], name


def test_every_property_reads_as_its_schema_says():
    """Enums become members, objects become models or dicts, lists become lists."""
    for name, schema in schemas().items():
        if not is_object(schema):
            continue
        model = getattr(delivery, name)
        for key, part in properties_of(schema).items():
            field = model._plan.by_wire_name[key][0]
            assert isinstance(getattr(model.from_wire({key: sample(part)}), field), python_type(part)), f"{name}.{key}"


def sample(schema):
    schema = resolved(schema)
    if "enum" in schema:
        return schema["enum"][0]
    return {"array": [], "object": {}}.get(schema.get("type"), "text")


def python_type(schema):
    schema = resolved(schema)
    if "enum" in schema:
        return enum.StrEnum
    if schema.get("type") == "array":
        return list
    if is_object(schema):
        return Model
    return dict if schema.get("type") == "object" else str


def values_of(schema):
    """Return a strategy of valid wire values."""
    schema = resolved(schema)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if is_object(schema):
        return objects_of(schema)
    if schema.get("type") == "array":
        return st.lists(values_of(schema["items"]), max_size=2)
    if schema.get("type") == "object":
        return st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2)
    return {"integer": st.integers(), "number": st.floats(allow_nan=False), "boolean": st.booleans()}.get(
        schema.get("type"), st.text(max_size=3)
    )


def objects_of(schema):
    known = {name: values_of(part) for name, part in properties_of(schema).items()}
    unknown = st.dictionaries(st.from_regex("new-[a-z]", fullmatch=True), st.none() | st.text(max_size=2), max_size=1)
    return st.builds(dict.__or__, st.fixed_dictionaries({}, optional=known), unknown)


@pytest.mark.parametrize("name", ["DeliveryRequest", "DeliveryResponse"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_valid_message_survives_a_round_trip(name, data):
    wire = data.draw(objects_of(schemas()[name]))
    model = getattr(delivery, name).from_wire(wire)
    assert model.to_wire() == wire
    assert getattr(delivery, name)(**model.to_dict()) == model


def test_names_and_all_agree():
    assert delivery.__all__ == sorted(delivery.__all__)
    assert all(hasattr(delivery, name) for name in delivery.__all__)
