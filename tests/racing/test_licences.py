"""Licences are read as stated, what comes along is found, and what isn't understood is never taken for free."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from deepenough.cli import main
from deepenough.racing import licences


@pytest.mark.parametrize(
    ("stated", "use"),
    [
        ("MIT", "free"),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", "free"),
        ("Apache-2.0 AND Apache-2.0 WITH LLVM-exception AND BSL-1.0", "free"),
        ("Apache License, Version 2.0", "free"),
        ("Python Software Foundation License", "free"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "care"),
        ("MIT AND LGPL-3.0-only", "care"),
        ("GNU Lesser General Public License v3 (LGPLv3)", "care"),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", "care"),
        ("LicenseRef-NVIDIA-Proprietary", "care"),
        ("GPL-3.0-only", "problem"),
        ("MIT AND (GPL-2.0-only OR AGPL-3.0-only)", "problem"),
        ("GPL-2.0-only OR (MIT AND BSD-2-Clause)", "free"),
        ("GNU Affero General Public License v3", "problem"),
        ("CC-BY-NC-4.0", "problem"),
        ("BUSL-1.1", "problem"),
        ("Other/Proprietary License", "problem"),
        ("MIT AND something of our own", "unknown"),
        ("", "unknown"),
        ("Dinosaur", "unknown"),
    ],
)
def test_what_a_licence_means_for_commercial_use(stated: str, use: str) -> None:
    assert licences.use_of(stated) == use


def _distribution(site: Path, name: str, lines: str) -> None:
    folder = site / f"{name.replace('-', '_')}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{lines}", encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root that needs a few, one of them by an extra of a dependency, and one that only developers install."""
    root = (
        "Provides-Extra: more\nProvides-Extra: dev\nRequires-Dist: open-one>=1.0\nRequires-Dist: absent-one\n"
        'Requires-Dist: Deep.One[fast]>2; extra == "more"\nRequires-Dist: tester; extra == "dev"\n'
    )
    _distribution(tmp_path, "root-one", root)
    _distribution(tmp_path, "open-one", "License-Expression: MIT\nRequires-Dist: root-one\n")
    deep = 'Requires-Dist: speedy; extra == "fast"\nRequires-Dist: unasked; extra == "slow"\n'
    _distribution(tmp_path, "deep-one", "Classifier: License :: OSI Approved :: GNU General Public License v3\n" + deep)
    _distribution(tmp_path, "speedy", "License: My own words\n        and many more of them\n")
    _distribution(tmp_path, "unasked", "License-Expression: MIT\n")
    _distribution(tmp_path, "tester", "License-Expression: MIT\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_all_that_comes_along_is_found(site: Path) -> None:
    found = {each.package: each.use for each in licences.installed("root-one")}
    assert found == {"open-one": "free", "deep-one": "problem", "speedy": "unknown"}


def test_a_licence_that_only_lies_beside_is_read(site: Path) -> None:
    """As of a package whose builder wrote that its licence is unknown; of two files none is taken for the licence."""
    _distribution(site, "root-two", "Requires-Dist: beside\nRequires-Dist: torn\nRequires-Dist: bare\n")
    for name, files in (("beside", ["LICENSE"]), ("torn", ["LICENSE", "LICENCE.txt"]), ("bare", [])):
        _distribution(site, name, "License: UNKNOWN\n")
        folder = site / f"{name}-1.0.dist-info"
        for file in files:
            (folder / file).write_text("\nApache Software License 2.0\n\nCopyright\n", encoding="utf-8")
        record = "".join(f"{folder.name}/{file},,\n" for file in [*files, "METADATA", "RECORD"])
        (folder / "RECORD").write_text(record, encoding="utf-8")
    found = {each.package: each.use for each in licences.installed("root-two")}
    assert found == {"beside": "free", "torn": "unknown", "bare": "unknown"}


def test_what_must_be_looked_at_is_marked(site: Path) -> None:
    lines = licences.summary(licences.installed("root-one"))
    marked = {line.split()[0]: "PROBLEM" in line or "UNKNOWN" in line for line in lines[:3]}
    assert marked == {"deep-one": True, "open-one": False, "speedy": True}
    assert "1 may be used commercially as it is; 1 marked UNKNOWN; 1 marked PROBLEM" in lines[-2]


def test_the_command_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licences"]) == 0
    told = capsys.readouterr().out
    assert "numpy" in told and "not legal advice" in told
    assert main(["licences", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"package", "version", "stated", "use"} == set(rows[0])
    names = {row["package"].lower() for row in rows}
    assert {"numpy", "markupsafe"} <= names, "what dependencies need is listed too"
    assert "pytest" not in names


def test_nothing_that_we_bring_is_a_problem() -> None:
    """Every package may be used commercially, some with conditions; a build for GPUs brings one that states nothing."""
    found = {each.package: each.use for each in licences.installed()}
    assert not [name for name, use in found.items() if use == "problem"]
    assert {name for name, use in found.items() if use == "unknown"} <= {"cuda-toolkit"}


def test_it_needs_nothing_beyond_the_standard_library() -> None:
    import subprocess

    code = "import sys; from deepenough.racing import licences; licences.installed(); print('packaging' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
