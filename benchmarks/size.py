"""How long are files and functions? A mirror, not a limit: `make size`.

python benchmarks/size.py src/deepenough
"""

from __future__ import annotations

import ast
import statistics
import sys
from pathlib import Path


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else "src/deepenough")
    files = {path: path.read_text(encoding="utf-8") for path in sorted(root.rglob("*.py"))}
    files = {path: text for path, text in files.items() if text.strip()}
    lengths = {path: text.count("\n") for path, text in files.items()}
    functions = {
        f"{path.relative_to(root)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path, text in files.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.end_lineno
    }
    print(
        f"{len(files)} files, {sum(lengths.values())} lines; half of the files up to {_middle(lengths.values())} lines"
    )
    short = sum(length <= 40 for length in functions.values()) / max(len(functions), 1)
    print(f"{len(functions)} functions; half up to {_middle(functions.values())} lines, {short:.0%} up to 40")
    print("longest files:")
    for path, length in sorted(lengths.items(), key=lambda item: -item[1])[:5]:
        print(f"  {length:4} {path.relative_to(root)}")
    print("longest functions:")
    for name, length in sorted(functions.items(), key=lambda item: -item[1])[:5]:
        print(f"  {length:4} {name}")


def _middle(lengths: object) -> int:
    return int(statistics.median(list(lengths))) if lengths else 0  # type: ignore[call-overload]  # a view of numbers


if __name__ == "__main__":
    main()
