"""What the site needs beyond the pages of this folder: pages from elsewhere, and links that hold in both places.

`make site` reads it (`hooks` in properdocs.yml). README.md becomes the first page. All pages lie in one folder, so that
a link holds wherever its page comes from.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "benchmarks/README.md": "benchmarks.md",
    "examples/README.md": "examples.md",
    "examples/data/README.md": "data.md",
}
"""Pages outside of this folder, by where they stand in the repository, and what they are called in the site."""


def on_files(files: Any, config: Any) -> Any:
    """Take the pages that stand elsewhere."""
    from properdocs.structure.files import File

    for path, name in ELSEWHERE.items():
        text = (ROOT / path).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=linked(text, path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Mend the links of the pages of this folder."""
    name = page.file.src_uri
    return markdown if name in ELSEWHERE.values() else linked(markdown, f"docs/{name}")


def linked(text: str, path: str) -> str:
    """The page with its links as the site needs them.

    path: where the page stands in the repository.
    """

    def mended(found: re.Match[str]) -> str:
        return f"]({in_site(found[1], path)}{found[2]})"

    return re.sub(r"\]\((?!\w+:|#)([^)#\s]+)((?:#[^)\s]*)?)\)", mended, text)


def in_site(link: str, path: str) -> str:
    """Where a link of a page leads in the site, as seen from any page of it: all of them lie in one folder."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
    if target in ELSEWHERE:
        return ELSEWHERE[target]
    return target.removeprefix("docs/")
