"""JSON Schema 2020-12 of the types that REST takes and gives, as msgspec reads and writes them."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

_REFERENCE: Final = "#/components/schemas/{name}"


class Schemas:
    """The schemas of some types, and the components that they refer to."""

    def __init__(self, types: Iterable[Any]) -> None:
        self._types = list(dict.fromkeys(types))
        made, self._components = msgspec.json.schema_components(self._types, ref_template=_REFERENCE)
        self._made = dict(zip(self._types, made, strict=True))
        self._used: set[str] = set()

    @property
    def components(self) -> dict[str, Any]:
        """Those that `of` was asked for, and what they refer to."""
        return {name: _portable(self._components[name]) for name in sorted(self._used)}

    def of(self, kind: Any) -> dict[str, Any]:
        """The schema of one of them: mostly a reference."""
        found: dict[str, Any] = _portable(self._made[kind])
        self._note(found)
        return found

    def _note(self, schema: Any) -> None:
        if isinstance(schema, list):
            for one in schema:
                self._note(one)
        elif isinstance(schema, dict):
            name = str(schema.get("$ref", "")).rpartition("/")[2]
            if name and name not in self._used:
                self._used.add(name)
                self._note(self._components[name])
            for one in schema.values():
                self._note(one)

    def is_object(self, kind: Any) -> bool:
        """Whether it has fields of its own."""
        return "properties" in self._components.get(self._name(kind), {})

    def fields_of(self, struct: Any) -> Iterator[tuple[str, dict[str, Any], bool]]:
        """(name, schema, whether it must be there) of the fields of a Struct."""
        table = self._components[self._name(struct)]
        for name, schema in table["properties"].items():
            yield name, _portable(schema), name in table["required"]

    def example_of(self, schema: dict[str, Any], depth: int = 0) -> Any:
        """Something that fits: what must be there, from examples, defaults and constraints."""
        if "$ref" in schema:
            schema = self._components[schema["$ref"].rpartition("/")[2]]
        for key in ("examples", "enum"):
            if schema.get(key):
                return schema[key][0]
        for key in ("default", "const"):
            if key in schema:
                return schema[key]
        if "anyOf" in schema:
            return self.example_of(schema["anyOf"][0], depth)
        if schema.get("type") == "object":
            wanted = schema.get("required", []) if depth < 4 else []
            return {name: self.example_of(schema["properties"][name], depth + 1) for name in wanted}
        if schema.get("type") == "array" and schema.get("minItems"):
            return [self.example_of(schema["items"], depth + 1)]
        return {"array": [], "integer": schema.get("minimum", 1), "number": 1.0, "boolean": True}.get(
            schema.get("type", ""), "text"
        )

    def _name(self, struct: Any) -> str:
        return str(self._made[struct].get("$ref", "")).rpartition("/")[2]


def _portable(schema: Any) -> Any:
    """Patterns as ECMA-262 has them (JSON Schema 2020-12 6.4): `\\Z` is Python's, and so are flags inside."""
    if isinstance(schema, dict):
        made = {key: _portable(value) for key, value in schema.items()}
        if isinstance(made.get("pattern"), str):
            if "(?i" in made["pattern"]:
                del made["pattern"]
            else:
                made["pattern"] = re.sub(r"\\Z$", "$", made["pattern"])
        return made
    return [_portable(one) for one in schema] if isinstance(schema, list | tuple) else schema
