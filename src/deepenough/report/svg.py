"""A small pen for static charts: scales, ticks, axes, marks; strings of SVG come out.

Needs that this module answers, and why no chart library is used:

* A race of thirty seconds can't give two of them to its report. Measured on one busy core: importing altair .55 s of
  CPU and the first chart through vl-convert .9 s, .08 s each further one; this pen draws all of them in 5 ms.
* The page follows the reader's light or dark mode: marks take their colour from the page's style sheet.
* Colour is never the only sign: each family has its own mark too.
* The same numbers give the same bytes, and no two charts of a page share an id, since none has one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from deepenough.report import words

MARKS = {"classical": "circle", "deep": "square", "together": "diamond", "mine": "triangle", "baseline": "cross"}


@dataclass(frozen=True)
class Scale:
    """Numbers to places on the picture.

    low, high: the numbers at both ends; with `log` both are above 0.
    start, end: where these are, in pixels; `end` may be the smaller one (up is less in SVG).
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high = self._inner(self.low), self._inner(self.high)
        share = 0.5 if high == low else (self._inner(value) - low) / (high - low)
        return round(self.start + share * (self.end - self.start), 1)

    def _inner(self, value: float) -> float:
        return math.log(value) if self.log else value

    def ticks(self, most: int = 6) -> list[float]:
        """Round numbers within the scale, about as many as `most`, which is 3 at least."""
        return _log_ticks(self.low, self.high, most) if self.log else _ticks(self.low, self.high, most)


def _ticks(low: float, high: float, most: int) -> list[float]:
    if high <= low:
        return [low]
    raw = (high - low) / max(most - 1, 1)
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return [round(index * step, digits) for index in range(first, last + 1)]


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    """Powers of ten with their halves and fifths where there is room."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10.0**exponent for exponent in exponents for factor in factors]
        ticks = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
        if len(ticks) <= most:
            break
    while len(ticks) > most:
        ticks = ticks[::2]
    return ticks if len(ticks) > 1 else _ticks(low, high, min(most, 4))


def spread(values: Sequence[float], margin: float = 0.08, log: bool = False) -> tuple[float, float]:
    """The ends of a scale that holds these values with some air around them."""
    low, high = min(values), max(values)
    if log:
        air = max((high / low) ** margin, 1.15)
        return low / air, high * air
    air = (high - low) * margin or abs(high) * 0.05 or 1.0
    return low - air, high + air


def _words(content: str) -> str:
    """Text that is no markup, and holds nothing that XML has no place for."""
    return escape(str(words.harmless(content)), quote=True)


def text(x: float, y: float, content: str, anchor: str = "start", style: str = "") -> str:
    """Words at a place. `style` names a class of the page."""
    role = f' class="{style}"' if style else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{role}>{_words(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, style: str = "rule") -> str:
    """A straight line."""
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" class="{style}"/>'


def path(points: Sequence[tuple[float, float]], style: str) -> str:
    """Straight lines through points."""
    steps = " L".join(f"{x:g} {y:g}" for x, y in points)
    return f'<path d="M{steps}" class="{style}"/>'


def band(upper: Sequence[tuple[float, float]], lower: Sequence[tuple[float, float]]) -> str:
    """The area between two lines."""
    steps = " L".join(f"{x:g} {y:g}" for x, y in (*upper, *reversed(lower)))
    return f'<path d="M{steps} Z" class="band"/>'


def box(x: float, y: float, width: float, height: float, style: str) -> str:
    """A rectangle."""
    return f'<rect x="{x:g}" y="{y:g}" width="{max(width, 0):g}" height="{height:g}" rx="2" class="{style}"/>'


def mark(family: str, x: float, y: float, title: str = "", size: float = 5) -> str:
    """A family's own mark, so that colour is never the only sign; `title` shows when one points at it."""
    shape = MARKS.get(family, "circle")
    hint = f"<title>{_words(title)}</title>" if title else ""
    if shape == "circle":
        return f'<circle cx="{x:g}" cy="{y:g}" r="{size:g}" class="mark">{hint}</circle>'
    if shape == "cross":
        left, right, up, down = x - size, x + size, y - size, y + size
        steps = f"M{left:g} {up:g} L{right:g} {down:g} M{left:g} {down:g} L{right:g} {up:g}"
        return f'<path d="{steps}" class="line">{hint}</path>'
    if shape == "triangle":
        steps = f"M{x:g} {y - size:g} L{x + size:g} {y + size:g} L{x - size:g} {y + size:g} Z"
        return f'<path d="{steps}" class="mark">{hint}</path>'
    turn = f' transform="rotate(45 {x:g} {y:g})"' if shape == "diamond" else ""
    side = 1.8 * size
    place = f'x="{x - side / 2:g}" y="{y - side / 2:g}" width="{side:g}" height="{side:g}"'
    return f'<rect {place}{turn} class="mark">{hint}</rect>'


def group(family: str, *parts: str, style: str = "") -> str:
    """Parts in the colour of a family."""
    return f'<g class="of-{_words(family)}{" " + style if style else ""}">{"".join(parts)}</g>'


def axis_x(scale: Scale, y: float, label: str, top: float | None = None, ticks: Sequence[float] | None = None) -> str:
    """The lower axis; with `top`, thin lines up to there."""
    parts = [line(scale.start, y, scale.end, y)]
    for tick in ticks if ticks is not None else scale.ticks():
        if top is not None:
            parts.append(line(scale(tick), y, scale(tick), top, "grid"))
        parts.append(text(scale(tick), y + 17, words.short(tick), "middle", "tick"))
    middle = (scale.start + scale.end) / 2
    return "".join([*parts, text(middle, y + 36, label, "middle", "label")])


def axis_y(scale: Scale, x: float, right: float, label: str) -> str:
    """The left axis: numbers, thin lines to the right, its label above them."""
    parts = []
    for tick in scale.ticks(5):
        parts.append(line(x, scale(tick), right, scale(tick), "grid"))
        parts.append(text(x - 7, scale(tick) + 4, words.short(tick), "end", "tick"))
    return "".join([*parts, text(4, 14, label, "start", "label")])


def dot(x: float, y: float, style: str = "dot") -> str:
    """One of many units."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="2" class="{style}"/>'


def cell(x: float, y: float, size: float, share: float, title: str) -> str:
    """A square that is the fuller the larger its share; `title` shows when one points at it."""
    place = f'x="{x:g}" y="{y:g}" width="{size:g}" height="{size:g}"'
    return f'<rect {place} class="cell" fill-opacity="{0.06 + 0.84 * share:.2f}"><title>{_words(title)}</title></rect>'


def tile(x: float, y: float, width: float, height: float, share: float, dashed: bool, title: str) -> str:
    """A field of a map, fuller the surer; with a dashed edge where it was not measured."""
    place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="3"'
    style = "edge dashed" if dashed else "edge"
    opacity = (0.05 if dashed else 0.12) + (0.2 if dashed else 0.4) * share
    filled = f'<rect {place} class="cell" fill-opacity="{opacity:.2f}"><title>{_words(title)}</title></rect>'
    return f'{filled}<rect {place} class="{style}"/>'


def legend(right: float, y: float, names: Mapping[str, str]) -> str:
    """Who has which mark, on one line that ends at `right`; by family, the name beside its mark."""
    drawn: list[str] = []
    for family, name in list(names.items())[::-1]:
        drawn.insert(0, group(family, text(right, y + 4, name, "end", "name")))
        right -= 8.8 * len(name) + 10
        drawn.insert(0, group(family, mark(family, right, y, name)))
        right -= 22
    return "".join(drawn)


def picture(width: int, height: float, parts: Sequence[str], about: str, title: str = "", wordy: bool = False) -> str:
    """The whole chart. `about` is what a screen reader says instead of the drawing, after its title.

    wordy: its words are too long for the larger type of a phone.
    """
    is_flat = height < width / 3 and not wordy  # it is shown whole on a phone; a tall one is scrolled there
    shape = "flat" if is_flat else "tall"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}" class="{shape}" role="img"'
    said = f"{title}. {about}" if title else about
    return f'{head} aria-label="{_words(said)}">{"".join(parts)}</svg>'
