"""Whether a value is what a schema says, by the few words of JSON Schema that `kinds.schemas` uses.

Needs that this module answers:

* The first thing that doesn't fit is named: which field, what is expected, what was given.
* One small row costs microseconds, a hostile one no more than its size: what no schema speaks of is not looked at.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from deepenough.serve.refusals import Refused, shown

_NAMES = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


def check(value: Any, schema: Mapping[str, Any], path: str = "") -> None:
    """Raise Refused (422) where the value is not what the schema says. path: the field's name so far."""
    types = schema.get("type")
    if types is not None:
        allowed = (types,) if isinstance(types, str) else types
        if not any(_IS[name](value) for name in allowed):
            raise _unfit(path, expected(schema), value)
    if isinstance(value, float) and not math.isfinite(value):
        raise _unfit(path, "a number that is not infinite", value)
    if isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        raise _unfit(path, expected(schema), value)
    if isinstance(value, str) and "pattern" in schema and not _compiled(schema["pattern"]).match(value):
        raise _unfit(path, expected(schema), value)
    if isinstance(value, dict):
        _check_fields(value, schema, path)
    elif isinstance(value, list):
        _check_items(value, schema, path)


def _check_fields(value: Mapping[str, Any], schema: Mapping[str, Any], path: str) -> None:
    for name in schema.get("required", ()):
        if name not in value:
            near = difflib.get_close_matches(name, list(value)[:1000], n=1, cutoff=0.6)
            hint = f" Did you mean {name!r} by {near[0]!r}?" if near else ""
            what = expected(schema["properties"].get(name, {}))
            field = _inside(path, name)
            said = f"The field {field!r} is missing; expected is {what}.{hint}"
            raise Refused(422, said, field=field, expected=what, got="nothing")
    for name, own in schema.get("properties", {}).items():
        if name in value:
            check(value[name], own, _inside(path, name))


def _check_items(value: list[Any], schema: Mapping[str, Any], path: str) -> None:
    if len(value) < schema.get("minItems", 0):
        raise _unfit(path, f"a list of {schema['minItems']} or more", value)
    if own := schema.get("items"):
        for place, item in enumerate(value):
            check(item, own, f"{path}[{place}]")


def expected(schema: Mapping[str, Any]) -> str:
    """What a schema asks for, in words."""
    types = schema.get("type", ())
    names = [_NAMES[name] for name in ((types,) if isinstance(types, str) else types)]
    said = " or ".join(names) or "a value"
    if "maximum" in schema:
        return f"{said} from {schema.get('minimum', 0):g} to {schema['maximum']:g}"
    if "pattern" in schema:
        return f"{said} that holds a file, as data:TYPE/FORM;base64,..."
    return said


def _unfit(path: str, what: str, value: Any) -> Refused:
    field = path or "(the request)"
    said = f"The field {field!r} must be {what}, but is {shown(value)}."
    return Refused(422, said, field=field, expected=what, got=shown(value))


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_IS: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
