"""An entry of a recipe: a mapping with a `name`, which is the object that it names, found by entry point."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pydantic_core import CoreSchema, core_schema

from seisloom import plugins
from seisloom.config import Config

logger = logging.getLogger("seisloom")
Json = Any  # Any: what YAML and JSON can say


class Entry:
    """Marks a part of a recipe as a tagged union on `name`, fed by a group of entry points."""

    def __init__(self, group: str) -> None:
        self.group = group

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:  # Any: pydantic's own protocol
        def hydrate(value: Json) -> Config:
            if isinstance(value, Config):
                return value
            if isinstance(value, str):
                value = {"name": value}
            if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
                known = ", ".join(plugins.names(self.group))
                raise ValueError(f"needs a name; {self.group} that are known: {known}")
            try:
                found: type[Config] = plugins.load(self.group, value["name"])
            except LookupError as error:
                raise ValueError(str(error)) from None
            return found.model_validate(dict(value))

        return core_schema.no_info_plain_validator_function(
            hydrate, serialization=core_schema.plain_serializer_function_ser_schema(lambda part: part.model_dump())
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Json]:  # Any: see above
        known, entries = plugins.names(self.group), []
        for name in known:
            try:
                entries.append(_schema_of(self.group, name))
            except LookupError as error:  # a third party's package that does not load must not hide all the others
                logger.warning("left out of the schema: %s", error)
        return {"oneOf": [*entries, {"enum": known, "title": "by name alone"}]}


def _schema_of(group: str, name: str) -> dict[str, Json]:
    """Return the schema of one entry; its name is fixed, or an entry of defaults alone would fit all of them."""
    schema: dict[str, Any] = plugins.load(group, name).model_json_schema()  # Any: JSON values
    schema = _written_out(schema, schema.pop("$defs", {}))
    named = {**schema["properties"], "name": {"const": name}}
    return {**schema, "title": name, "properties": named, "required": [*schema.get("required", []), "name"]}


def _written_out(schema: Any, definitions: Mapping[str, Any]) -> Any:  # Any: JSON values
    """Return a schema with definitions in place of references to them: an entry stands within another schema."""
    if isinstance(schema, list):
        return [_written_out(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        schema = {**definitions[schema["$ref"].rsplit("/", 1)[-1]], **{k: v for k, v in schema.items() if k != "$ref"}}
    return {key: _written_out(value, definitions) for key, value in schema.items() if key != "discriminator"}
