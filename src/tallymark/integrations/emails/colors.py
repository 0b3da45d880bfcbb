"""A tenant's colour, made dark or light enough to be read on the sheet of an e-mail by day and by night."""

from __future__ import annotations

from dataclasses import dataclass

Rgb = tuple[int, int, int]

LEAST_CONTRAST = 4.6
"""As WCAG counts it; 4.5 is asked for."""

DAY: Rgb = (255, 255, 255)
NIGHT: Rgb = (27, 31, 37)
"""The sheet by day and by night; the templates write the same."""

INK: Rgb = (20, 24, 31)
INK_BY_NIGHT: Rgb = (233, 236, 240)
"""What texts are written in."""

_LEAST_HUE = 24
_STEPS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Accent:
    """The colour of what matters, as `#rrggbb`; `on_night` is what is written on it by night, by day that is white."""

    day: str
    night: str
    on_night: str


def accent_of(color: str) -> Accent:
    """A colour (`#rrggbb`) as e-mails wear it: one that is read well enough already stays as it is; greys are as the texts.

    >>> accent_of("#0b5c6b").day, accent_of("#ffd400").night
    ('#0b5c6b', '#ffd400')
    >>> accent_of("#000000").night
    '#e9ecf0'
    """
    base = _read(color)
    day = _towards(base, end=(0, 0, 0), ground=DAY)
    night = _towards(base, end=(255, 255, 255), ground=NIGHT)
    if max(base) - min(base) < _LEAST_HUE:  # a grey that can just be read looks like something switched off
        day, night = INK, INK_BY_NIGHT
    return Accent(day=_write(day), night=_write(night), on_night=_write(_mix(night, (0, 0, 0), 86)))


def contrast(one: str, other: str) -> float:
    """How well a text in one colour is read on another: 1 to 21.

    >>> contrast("#ffffff", "#000000")
    21.0
    """
    return _contrast(_read(one), _read(other))


def _towards(color: Rgb, *, end: Rgb, ground: Rgb) -> Rgb:
    """A colour moved towards an end until a text in it is read on a ground."""
    for step in range(_STEPS):
        moved = _mix(color, end, step * 100 // _STEPS)
        if _contrast(moved, ground) >= LEAST_CONTRAST:
            return moved
    return end


def _mix(one: Rgb, other: Rgb, percent: int) -> Rgb:
    red, green, blue = (
        (a * (100 - percent) + b * percent + 50) // 100 for a, b in zip(one, other, strict=True)
    )
    return red, green, blue


def _contrast(one: Rgb, other: Rgb) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: Rgb) -> float:
    levels = (part / 255 for part in color)
    red, green, blue = (
        level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _read(color: str) -> Rgb:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _write(color: Rgb) -> str:
    return "#" + "".join(f"{part:02x}" for part in color)
