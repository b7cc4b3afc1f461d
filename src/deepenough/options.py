"""Options of a race that only some kinds of data know: each kind lists its own in `options.toml`, in its folder.

Needs that this module answers:

* `deepenough race --help` shows them without importing a kind, for an import takes longer than a person waits for help.
* What is asked for and belongs to another kind is refused by name, as is what no kind knows.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import importlib.util
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deepenough.errors import OptionError

FILE = "options.toml"
FORMS = ("name", "count")
"""What a value may be: the name of a column, or a whole number above 0."""


@dataclass(frozen=True)
class Option:
    """One option, as `--name` and as an argument of `deepenough.race`.

    kinds: those that know it. form: one of `FORMS`. many: several values may be given, repeated or parted by commas.
    """

    name: str
    kinds: tuple[str, ...]
    help: str
    metavar: str = "COLUMN"
    form: str = "name"
    many: bool = False


def of_kinds() -> dict[str, Option]:
    """Every option that some kind knows, by name; two kinds may share one."""
    found: dict[str, Option] = {}
    for kind, folder in sorted(_folders()):
        if (folder / FILE).is_file():
            for name, facts in tomllib.loads((folder / FILE).read_text(encoding="utf-8")).items():
                known = found.get(name)
                option = Option(name, (kind,), **facts)
                found[name] = option if known is None else replace(known, kinds=(*known.kinds, kind))
    return found


def _folders() -> Iterator[tuple[str, Path]]:
    """The folders of all kinds, those of other distributions too, without importing them."""
    for folder in (Path(__file__).parent / "kinds").iterdir():
        if (folder / "__init__.py").is_file():
            yield folder.name, folder
    for point in importlib.metadata.entry_points(group="deepenough.kinds"):
        top, *below = point.module.split(".")
        spec = importlib.util.find_spec(top)
        for place in (spec and spec.submodule_search_locations) or ():
            yield point.name, Path(place).joinpath(*below)


def read(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, each value in its form: of several a tuple. Raises OptionError for what no kind knows."""
    known = of_kinds()
    values = {}
    for name, value in given.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise OptionError(f"{name!r} is no option of a race.{hint}")
        if value is not None and value != [] and value != ():
            values[name] = _in_form(known[name], value)
    return values


def _in_form(option: Option, value: Any) -> Any:
    if option.many:
        items = value.split(",") if isinstance(value, str) else list(value)
        return tuple(_one(option, item.strip() if isinstance(item, str) else item) for item in items)
    return _one(option, value)


def _one(option: Option, value: Any) -> Any:
    if option.form == "name":
        if not value:
            raise OptionError(f"--{option.name} names no column.")
        return str(value)
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if number < 1:
        raise OptionError(f"--{option.name} {value} was given, expected a whole number above 0.")
    return number


def refuse_strange(given: Mapping[str, Any], kind: str) -> None:
    """Raise OptionError where one of the options given is not one of that kind."""
    known = of_kinds()
    for name in given:
        if name in known and kind not in known[name].kinds:
            raise OptionError(
                f"--{name} is not known to data of the kind {kind}, which this source was taken for; it belongs to "
                f"{' and '.join(known[name].kinds)}. Leave it out, or name the kind with --kind."
            )
