"""JSON schemas of the types that requests and answers are made of, each once and by its name."""

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter

Schema = dict[str, Any]

_REF = "#/components/schemas/{model}"


class Schemas:
    """The schemas that a document refers to; `all` has those that were asked for."""

    def __init__(self) -> None:
        """Begin with none."""
        self.all: dict[str, Schema] = {}

    def of(self, kind: Any) -> Schema:
        """Return the schema of a type, as a reference where it has a name."""
        is_asked = isinstance(kind, type) and issubclass(kind, BaseModel)
        found = TypeAdapter(kind).json_schema(
            ref_template=_REF, mode="validation" if is_asked else "serialization"
        )
        self._take(found.pop("$defs", {}))
        name = _name(kind)
        if found.get("type") != "object" or "title" not in found:
            plain: Schema = _exact(found)
            return plain
        self._take({name: found})
        return {"$ref": _REF.format(model=name)}

    def fields_of(self, kind: type[BaseModel]) -> Mapping[str, Schema]:
        """Return the schemas of a model's fields."""
        found = TypeAdapter(kind).json_schema(ref_template=_REF)
        self._take(found.pop("$defs", {}))
        fields: dict[str, Schema] = found["properties"]
        for field in fields.values():
            field.pop("title", None)
        return fields

    def _take(self, named: Mapping[str, Schema]) -> None:
        for name, schema in named.items():
            schema = _exact(schema)
            assert self.all.setdefault(name, schema) == schema, f"two shapes are called {name}"


def _name(kind: Any) -> str:
    """Return what a type is called: `PageOfJobDocument` for `Page[JobDocument]`."""
    names = [get_origin(kind) or kind, *get_args(kind)]
    return "Of".join(getattr(each, "__name__", "") for each in names)


def _exact(schema: Any) -> Any:
    """Return a schema that allows no key but those it names, and without pydantic's titles."""
    if isinstance(schema, list):
        return [_exact(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _exact(each) for name, each in schema.items()}
    if isinstance(made.get("title"), str) and ("type" in made or "anyOf" in made):
        made.pop("title")
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made
