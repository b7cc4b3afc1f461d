"""What a race gives back: everything that its folder tells, recomputed from the evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepenough.errors import OptionError
from deepenough.evidence import Evidence, read
from deepenough.files import write_whole
from deepenough.judge.verdict import Verdict, judge

if TYPE_CHECKING:
    import pandas as pd

    from deepenough.model.folder import LoadedModel


@dataclass(frozen=True)
class Race:
    """A race that was run, read from its folder. Everything is recomputed from the evidence.

    use: what the model is for, in place of what was said before the race; see `used`.
    """

    folder: Path
    use: Mapping[str, float] = field(default_factory=dict, repr=False, hash=False)

    @cached_property
    def evidence(self) -> Evidence:
        """The plan and every trial."""
        return read(self.folder)

    @cached_property
    def verdict(self) -> Verdict:
        """What the evidence says."""
        return judge(self.evidence)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Every figure of the report as plain data; `docs/facts.md` explains each."""
        from deepenough.report.facts import facts

        return facts(self.evidence, self.verdict, self.use)

    def used(self, business: Mapping[str, str]) -> Race:
        """The same race with its prices at another traffic or limit of latency; the verdict stays what it is.

        business: `traffic` ("50/s") and `max_latency` ("20ms"). Raises OptionError, also of what was
            fixed before the race.
        """
        from deepenough.racing.business import read as read_business

        if fixed := sorted(set(business) & {"worth", "switch_cost"}):
            raise OptionError(f"{', '.join(fixed)}: what counts as equal is fixed before the race. Race again with it.")
        return Race(self.folder, read_business(business))

    @property
    def decision(self) -> str:
        """The code of the decision, such as `classical_is_enough`."""
        return str(self.facts["decision"])

    @property
    def decision_sentence(self) -> str:
        """The decision as a sentence that a leader can act on."""
        return str(self.facts["decision_sentence"])

    @property
    def leaderboard(self) -> pd.DataFrame:
        """One row a learner, the best first."""
        import pandas as pd

        rows = [
            {name: value for name, value in row.items() if not isinstance(value, Mapping | list)} | dict(row["costs"])
            for row in self.facts["learners"]
        ]
        return pd.DataFrame(rows)

    @cached_property
    def model(self) -> LoadedModel:
        """The model that was handed over."""
        from deepenough.model.folder import load

        return load(self.folder)

    def write_report(self) -> Path:
        """Write `report.html` and `facts.json` into the run folder, from the evidence alone."""
        from deepenough.report.html import write

        path = self.folder / "report.html"
        write(self.facts, path)
        (self.folder / "facts.json").write_text(json.dumps(self.facts, indent=1, sort_keys=True) + "\n")
        return path

    def write_card(self) -> None:
        """Write the model's card anew, beside the model, with all that the race found; without a model nothing."""
        from deepenough.model import manifest
        from deepenough.model.card import card
        from deepenough.racing import licences
        from deepenough.racing.licences import MEANING
        from deepenough.report.card import sections
        from deepenough.report.words import harmless

        folder = self.folder / "model"
        if (folder / manifest.MANIFEST).is_file():
            about, schema = (json.loads((folder / name).read_text()) for name in (manifest.MANIFEST, manifest.SCHEMA))
            told = [(section.title, section.paragraphs) for section in sections(harmless(self.facts))]
            needed = licences.of(name for member in about["members"] for name in member["needs"])
            said = tuple(f"{each.package} {each.version}: {each.stated}; {MEANING[each.use]}." for each in needed)
            told += [("Licences of what it needs", said)] if said else []
            write_whole(folder / manifest.CARD, card(about, schema, told).encode())

    def _repr_html_(self) -> str:
        """What a notebook shows of a race that stands at the end of a cell."""
        from deepenough.report import notebook

        report = self.folder / "report.html"
        return notebook.card(self.facts, notebook.address(report, Path.cwd()) if report.is_file() else "")

    def __str__(self) -> str:
        from deepenough.report.text import summary

        return summary(self.facts)
