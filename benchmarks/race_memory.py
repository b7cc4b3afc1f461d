"""How much memory does a whole race of many texts, series, pictures or recordings take?

    python benchmarks/race_memory.py --data DIR --budget 60s --sets tweets thousand

One race after the other, each in a process of its own; every fifth of a second the proportional set size of that
process and of all that it started is summed, and `peak` is the most that was seen, in GB. `thousand` are 1,000
SYNTHETIC series of 1,000 days, `pictures` 10,000 SYNTHETIC ones of 64 x 64 pixels, `recordings` 10,000 SYNTHETIC
ones of a second, all for size alone; the other sets are those of `sets.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import sets

THOUSAND = {"target": "value", "time": "day", "series": ["series"], "horizon": 14}
RACE = """
import json, sys
import deepenough
asked = json.loads(sys.argv[2])
race = deepenough.race(sys.argv[1], **asked, listen=())
print(json.dumps({"rows": race.evidence.plan.rows, "judged at": race.verdict.n_train, "decision": race.decision}))
"""


def main() -> None:
    parser = sets.arguments(__doc__.split("\n")[0], [*sets.SETS, "thousand", "pictures", "recordings"])
    parser.add_argument("--budget", default="60s", help="of each race (default: %(default)s)")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if "thousand" in options.sets:
            rows.append(_measured("thousand", _thousand(folder), THOUSAND, folder, options.budget))
        if "pictures" in options.sets:
            rows.append(_measured("pictures", _pictures(folder / "drawn"), {}, folder, options.budget))
        if "recordings" in options.sets:
            rows.append(_measured("recordings", _recordings(folder / "tones"), {}, folder, options.budget))
        for bench in sets.find([name for name in options.sets if name in sets.SETS], options.data):
            rows.append(_measured(bench.name, bench.path, bench.asked, folder, options.budget))
    sets.show(rows)


def _thousand(folder: Path) -> Path:
    """Random walks with a week in them."""
    import pandas as pd

    random, days = np.random.default_rng(0), pd.date_range("2020-01-01", periods=1000).strftime("%Y-%m-%d")
    week = 3 * np.sin(2 * np.pi * np.arange(1000) / 7)
    values = random.normal(size=(1000, 1000)).cumsum(axis=1) + week
    names = np.repeat([f"series {number}" for number in range(1000)], 1000)
    path = folder / "thousand.csv"
    pd.DataFrame({"series": names, "day": np.tile(days, 1000), "value": values.round(3).ravel()}).to_csv(
        path, index=False
    )
    return path


def _pictures(folder: Path) -> Path:
    """Noise with a lighter half: the upper or the lower one."""
    from PIL import Image

    random = np.random.default_rng(0)
    for number in range(10_000):
        pixels, upper = random.integers(0, 200, (64, 64, 3)), bool(number % 2)
        pixels[:32] += 50 if upper else 0
        place = folder / ("upper" if upper else "none")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(place / f"{number:05}.png", compress_level=1)
    return folder


def _recordings(folder: Path) -> Path:
    """A tone in noise, a second long: a higher one or a lower one."""
    import soundfile

    random, moments = np.random.default_rng(0), np.arange(8_000) / 8_000
    for number in range(10_000):
        label = "high" if number % 2 else "low"
        tone = np.sin(2 * np.pi * random.uniform(*((500, 900) if number % 2 else (300, 600))) * moments)
        (folder / label).mkdir(parents=True, exist_ok=True)
        heard = 0.1 * tone + random.normal(0, 0.1, len(moments))
        soundfile.write(folder / label / f"{number:05}.wav", heard, 8_000, subtype="PCM_16")
    return folder


def _measured(name: str, path: Path, asked: Any, folder: Path, budget: str) -> dict[str, Any]:
    given = json.dumps({**asked, "budget": budget, "out": str(folder / name)})
    started, peak, highest = time.monotonic(), 0.0, 0
    race = subprocess.Popen([sys.executable, "-c", RACE, str(path), given], stdout=subprocess.PIPE, text=True)
    while race.poll() is None:
        held, processes = _held(race.pid)
        peak, highest = max((peak, highest), (held, processes))
        time.sleep(0.2)
    wall = time.monotonic() - started
    told = json.loads(race.communicate()[0] or "{}")
    return {"set": name, **told, "wall": round(wall, 1), "peak": round(peak / 1e9, 2), "processes": highest}


def _held(pid: int) -> tuple[float, int]:
    """Bytes of a process and all that it started, what they share counted once; how many there are."""
    held, processes = 0.0, 0
    try:
        everyone = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return held, processes
    for each in everyone:
        try:
            held += each.memory_full_info().pss
            processes += 1
        except psutil.Error:
            continue
    return held, processes


if __name__ == "__main__":
    main()
