"""Write `examples/data/spoken.zip` again: the commands of `examples/ears.py`, spoken by espeak-ng, with noise.

    apt-get install espeak-ng
    python benchmarks/speak_commands.py --to spoken.zip

Needs the extra `audio`. The voices are synthetic: they are no sample of how people speak.
"""

from __future__ import annotations

import argparse
import csv
import io
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import soundfile
import soxr

RATE = 16_000
VALUES = {
    "groceries": (("milk", "Milch"), ("bread", "Brot"), ("eggs", "Eier"), ("coffee", "Kaffee")),
    "music": (("jazz", "Jazz"), ("rock", "Rock"), ("classics", "Klassik"), ("radio", "Radio")),
    "remind": (
        ("at five", "um fünf"),
        ("at seven", "um sieben"),
        ("at noon", "am Mittag"),
        ("in ten minutes", "in zehn Minuten"),
    ),
    "reply": (("Anna", "Anna"), ("Ben", "Ben"), ("Clara", "Clara"), ("David", "David")),
    "calendar": (
        ("dinner", "Abendessen"),
        ("dentist", "Zahnarzt"),
        ("football", "Fußball"),
        ("meeting", "Besprechung"),
    ),
}
"""Of each intent its values, in English and German; a value is called as in English."""
PHRASINGS = {
    "groceries": (
        ("add {} to the list", "put {} on the shopping list", "please buy {}"),
        ("schreib {} auf die Liste", "setz {} auf den Einkaufszettel", "kauf bitte {}"),
    ),
    "music": (
        ("play some {}", "turn on the {}", "I want to hear {}"),
        ("spiel etwas {}", "mach {} an", "ich möchte {} hören"),
    ),
    "remind": (
        ("remind me {} to call home", "{} remind me to call home", "set a reminder {} to call home"),
        ("erinnere mich {} zu Hause anzurufen", "{} erinnere mich zu Hause anzurufen", "wecke mich {} zum Anrufen"),
    ),
    "reply": (
        ("tell {} I am on my way", "answer {} that I am on my way", "reply to {} I am on my way"),
        ("sag {} ich bin unterwegs", "schreib {} dass ich unterwegs bin", "antworte {} ich bin unterwegs"),
    ),
    "calendar": (
        ("put {} in my calendar tomorrow at seven", "tomorrow at seven I have {}", "note {} for tomorrow at seven"),
        ("trag {} morgen um sieben ein", "morgen um sieben habe ich {}", "merk dir {} für morgen um sieben"),
    ),
}
"""Of each intent in English and German; the last of each three is held out."""
LEARNT_VOICES = ("m1", "m2", "m3", "m4", "m5", "m6", "m8", "f1", "f2", "f5", "Alex", "Michael", "Lee")
HELD_OUT_VOICES = ("m7", "f3", "f4")
LANGUAGES = ("en-us", "de")
TIMES_SPOKEN = 5
COLUMNS = ("file", "intent", "value", "language", "voice", "phrasing", "held_out")


def spoken(text: str, language: str, voice: str, rng: np.random.Generator) -> np.ndarray:
    """The text as espeak-ng says it, at a speed and height of its own, with noise and a hum; float, at `RATE`."""
    speed, height = str(int(rng.integers(140, 185))), str(int(rng.integers(35, 65)))
    command = ["espeak-ng", "-v", f"{language}+{voice}", "-s", speed, "-p", height, "--stdout", text]
    wave = subprocess.run(command, capture_output=True, check=True).stdout
    samples, rate = soundfile.read(io.BytesIO(wave), dtype="float32")
    samples = soxr.resample(samples, rate, RATE)
    heard = np.flatnonzero(np.abs(samples) > 0.01)
    samples = samples[heard[0] : heard[-1] + 1]
    samples = np.pad(samples, (int(rng.integers(500, 4_000)), int(rng.integers(500, 4_000))))
    loud = float(np.sqrt(np.mean(samples**2)))
    noise = rng.normal(0, 1, len(samples))
    noise = np.convolve(noise, np.ones(int(rng.integers(1, 8))), "same")
    hum = np.sin(2 * np.pi * float(rng.choice([50, 60, 120])) * np.arange(len(samples)) / RATE)
    noise = noise / noise.std() + hum * rng.uniform(0, 1)
    samples = samples + noise * loud * 10 ** (-rng.uniform(12, 28) / 20)
    return np.asarray(samples / np.abs(samples).max() * rng.uniform(0.2, 0.9))


def commands() -> list[dict[str, str]]:
    """What is said by whom: each value in each phrasing, by a few of the voices."""
    rng = np.random.default_rng(0)
    rows = []
    for intent, values in VALUES.items():
        for value in values:
            for place, language in enumerate(LANGUAGES):
                for number, phrasing in enumerate(PHRASINGS[intent][place]):
                    held_out = number == 2
                    voices = HELD_OUT_VOICES if held_out else rng.choice(LEARNT_VOICES, TIMES_SPOKEN, replace=False)
                    rows += [
                        {
                            "text": phrasing.format(value[place]),
                            "intent": intent,
                            "value": value[0],
                            "language": language[:2],
                            "voice": str(voice),
                            "phrasing": f"{intent}-{language[:2]}-{number}",
                            "held_out": str(int(held_out)),
                        }
                        for voice in voices
                    ]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--to", type=Path, default=Path("spoken.zip"), help="the file to write (default: %(default)s)")
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    with zipfile.ZipFile(options.to, "w") as archive:
        for number, row in enumerate(commands()):
            content = io.BytesIO()
            sound = spoken(row["text"], LANGUAGES[row["language"] == "de"], row["voice"], rng)
            soundfile.write(content, sound, RATE, format="OGG", subtype="OPUS", compression_level=0.9)
            row["file"] = f"{number:03}.opus"
            archive.writestr(zipfile.ZipInfo(row["file"]), content.getvalue())
            writer.writerow(row)
        archive.writestr(zipfile.ZipInfo("spoken.csv"), table.getvalue(), zipfile.ZIP_DEFLATED)
    print(f"{options.to}: {number + 1} commands, {options.to.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
