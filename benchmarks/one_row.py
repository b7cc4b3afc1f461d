"""How long does one prediction take in a warm process, from the row as an object to the answer?

    python benchmarks/one_row.py RUN ROWS.csv

RUN is the folder of a race (or of a saved model), ROWS a table with the model's columns. Milliseconds of single
predictions, each a different row, after ten that are not counted; and rows a second in batches of a thousand.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("rows", type=Path, metavar="ROWS")
    parser.add_argument("--times", type=int, default=1000, help="single predictions (default: %(default)s)")
    options = parser.parse_args()
    import deepenough

    start = time.perf_counter()
    model = deepenough.load(options.run)
    loading = time.perf_counter() - start
    frame = tables.Bench("rows", "", options.rows).frame().head(1000)
    rows = frame.to_dict("records")
    milliseconds = []
    for turn in range(-10, options.times):
        row = rows[turn % len(rows)]
        start = time.perf_counter()
        model.predict([row])
        if turn >= 0:
            milliseconds.append(1000 * (time.perf_counter() - start))
    start = time.perf_counter()
    model.predict(frame)
    batch = time.perf_counter() - start
    p50, p95 = np.percentile(milliseconds, [50, 95])
    figures = {"load_s": loading, "p50_ms": float(p50), "p95_ms": float(p95), "rows_per_s": len(frame) / batch}
    tables.show([{"times": options.times} | figures])


if __name__ == "__main__":
    main()
