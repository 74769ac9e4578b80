"""Bar and line charts as inline SVG, drawn by pygal, coloured by the page's own style sheet.

Belongs here: turning series of exact figures into a picture and the table that says the same in words.
Does not belong here: which figures are charted (``pictures``), colours and fonts (``assets/page.css``).

Pygal brings a style sheet, a script and the date of drawing into each picture; a page with a strict policy and equal
bytes for equal figures can have none of them, so only the shapes are kept. Labels are printed from the exact
decimals; the doubles that pygal computes with decide lengths of bars only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pygal
from lxml import etree
from markupsafe import Markup
from pygal.style import Style

from publication.formatting import format_number
from publication.page.render import printable

#: Units of the picture. A phone shows it at about 0.85 of this size, a desktop at about 1.2.
WIDTH = 400
_LABEL_SIZE = 12
_ROW_HEIGHT = 22
_LABELS_SIDE_BY_SIDE = 6
_LABEL_LENGTH = 26
#: Stands where a line is broken.
GAP_MARK = "✕"
#: Part of the height that two figures must be apart to be printed one above the other.
_APART = Decimal("0.1")
_STYLE = Style(label_font_size=_LABEL_SIZE, major_label_font_size=_LABEL_SIZE, value_font_size=_LABEL_SIZE)
_KEPT_CLASSES = {
    "axis",
    "x",
    "y",
    "guides",
    "guide",
    "major",
    "line",
    "series",
    "bar",
    "rect",
    "dot",
    "value",
    "color-0",
    "color-1",
    "color-2",
}
_NUMBER = re.compile(r"-?[0-9]+\.[0-9]+")


@dataclass(frozen=True)
class Series:
    """One coloured series: a figure for each label, None where there is none, and how each is printed."""

    name_vi: str
    values: tuple[Decimal | None, ...]
    printed: tuple[str, ...]


@dataclass(frozen=True)
class Chart:
    """A chart of the page. ``head`` and ``lines`` are its figures as a table; ``legend`` names the colours in order."""

    identifier: str
    title_vi: str
    summary_vi: str
    svg: Markup
    legend: tuple[str, ...]
    head: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


def print_all(values: Sequence[Decimal | None], unit: str = "") -> tuple[str, ...]:
    """Each figure in Vietnamese print with its unit, empty where there is none."""
    return tuple("" if value is None else format_number(value) + unit for value in values)


def draw_lines(labels: Sequence[str], series: Sequence[Series], *, marked: Sequence[bool] = ()) -> Markup:
    """A line for each series over the labels, left to right; the last points carry their figures.

    Where a label has no figure of a series the line is broken; at the places ``marked`` a sign stands at the foot.

    Where labels would stand too close every third one is kept, or fewer of many, counted back from the last.
    """
    last = _last_labels(series)
    chart = pygal.Line(
        **_options(height=200),
        dots_size=4,
        include_x_axis=True,
        allow_interruptions=True,
        max_scale=5,
        margin_right=_room_for(last),
        show_x_guides=False,
    )
    chart.x_labels = list(labels)
    if len(named := [label for label in labels if label]) > _LABELS_SIDE_BY_SIDE:
        step = max(3, -(-len(named) // _LABELS_SIDE_BY_SIDE))
        chart.x_labels_major, chart.show_minor_x_labels = named[::-step], False
    for one, label in zip(series, last, strict=True):
        end = max((place for place, value in enumerate(one.values) if value is not None), default=None)
        chart.add(one.name_vi, [_point(value, label if place == end else "") for place, value in enumerate(one.values)])
    if any(marked):
        lowest = min((value for one in series for value in one.values if value is not None), default=Decimal(0))
        foot = min(Decimal(0), lowest)
        chart.add("", [_mark(foot) if is_marked else None for is_marked in marked], stroke=False)
    return _draw(chart, anchor="start")


def draw_bars(labels: Sequence[str], series: Sequence[Series], *, top: Decimal | None = None) -> Markup:
    """Horizontal bars, one group a label from top to bottom, each with its figure behind it.

    ``top`` is the figure at which a bar is full; without it the longest bar is.
    """
    height = 16 + (_ROW_HEIGHT * len(series) + 6) * len(labels)
    longest = max((value for one in series for value in one.values if value is not None), default=None)
    chart = pygal.HorizontalBar(
        **_options(height=height),
        print_values_position="top",
        show_x_labels=False,
        range=(0, float(top or longest or 1)),
        show_x_guides=False,
        show_y_guides=False,
        margin_right=_room_for(text for one in series for text in one.printed),
    )
    _add_bars(chart, labels, series)
    return _draw(chart, anchor="start")


def draw_shares(labels: Sequence[str], series: Sequence[Series]) -> Markup:
    """Horizontal bars of 100 %, divided among the series; a figure is printed where its part is wide enough."""
    height = 16 + (_ROW_HEIGHT + 14) * len(labels)
    chart = pygal.HorizontalStackedBar(
        **_options(height=height), range=(0, 100), show_x_labels=False, show_x_guides=False, show_y_guides=False
    )
    _add_bars(
        chart,
        labels,
        [
            Series(
                one.name_vi,
                one.values,
                tuple(
                    text if value is not None and value >= 12 else ""
                    for value, text in zip(one.values, one.printed, strict=True)
                ),
            )
            for one in series
        ],
    )
    return _draw(chart, anchor="middle", looks="plot shares")


def _options(height: int) -> dict[str, Any]:
    return {
        "width": WIDTH,
        "height": height,
        "margin": 8,
        "show_legend": False,
        "print_values": True,
        "css": [],
        "js": [],
        "style": _STYLE,
        "disable_xml_declaration": True,
        "value_formatter": _print_axis,
        "truncate_label": -1,
    }


def _last_labels(series: Sequence[Series]) -> list[str]:
    """The last figure of each line; where they would stand on each other, all at the first line in the same order."""
    ends = [
        next(
            (
                (value, text)
                for value, text in zip(one.values[::-1], one.printed[::-1], strict=True)
                if value is not None
            ),
            None,
        )
        for one in series
    ]
    found = [end for end in ends if end is not None]
    highest = max((value for one in series for value in one.values if value is not None), default=Decimal(0))
    figures = [value for value, _ in found]
    if len(found) > 1 and max(figures) - min(figures) < highest * _APART:
        together = " / ".join(dict.fromkeys(text for _, text in found))
        first = next(place for place, end in enumerate(ends) if end is not None)
        return [together if place == first else "" for place in range(len(series))]
    return ["" if end is None else end[1] for end in ends]


def _room_for(texts: Iterable[str]) -> int:
    """Width of the longest printed figure, which stands to the right of the plot."""
    return 16 + round(0.62 * _LABEL_SIZE * max((len(text) for text in texts), default=0))


def _print_axis(value: float) -> str:
    return format_number(Decimal(repr(round(value, 6))))


def _add_bars(chart: Any, labels: Sequence[str], series: Sequence[Series]) -> None:
    """Pygal draws the first label lowest; people read from the top."""
    chart.x_labels = [_short(label) for label in reversed(labels)]
    for one in series:
        points = [_point(value, text) for value, text in zip(one.values, one.printed, strict=True)]
        chart.add(one.name_vi, points[::-1])


def _short(label: str) -> str:
    """A label that leaves room for its bar; the table of the chart has the whole name."""
    plain = str(printable(label))
    return plain if len(plain) <= _LABEL_LENGTH else plain[: _LABEL_LENGTH - 1].rstrip() + "…"


def _point(value: Decimal | None, printed: str) -> dict[str, Any] | None:
    if value is None:
        return None
    formatter: Callable[[float], str] = lambda _: printed  # noqa: E731
    return {"value": float(value), "formatter": formatter}


def _mark(value: Decimal) -> dict[str, Any]:
    """A sign without a dot."""
    return {"value": float(value), "formatter": lambda _: GAP_MARK, "node": {"r": 0}}


def _draw(chart: Any, *, anchor: str, looks: str = "plot") -> Markup:
    chart.add_xml_filter(lambda root: _only_shapes(root, anchor, looks))
    return Markup(etree.tostring(chart.render_tree(), encoding="unicode"))


def _only_shapes(root: Any, anchor: str, looks: str) -> Any:
    """The plot and its texts: no style, script, tooltip, identifier or comment; numbers to a tenth of a unit."""
    plain = etree.Element("svg", {"viewBox": root.get("viewBox"), "class": looks})
    for group in root.iter("{*}g"):
        names = (group.get("class") or "").split()
        if "plot" in names and "tooltip-overlay" not in names:
            _copy(group, plain, anchor)
    return plain


def _copy(node: Any, parent: Any, anchor: str) -> None:
    if not isinstance(node.tag, str) or etree.QName(node).localname in ("desc", "title"):
        return
    names = (node.get("class") or "").split()
    if "background" in names or (node.tag.endswith("text") and not node.text):
        return
    kept = {
        name: _NUMBER.sub(lambda m: f"{float(m[0]):.1f}", value)
        for name, value in sorted(node.attrib.items())
        if name not in ("class", "id", "style", "rx", "ry", "text-anchor")
    }
    classes = " ".join(name for name in names if name in _KEPT_CLASSES)
    if classes:
        kept["class"] = classes
    if "value" in names:
        kept["text-anchor"] = "middle" if node.text == GAP_MARK else anchor
    copied = etree.SubElement(parent, etree.QName(node).localname, kept)
    copied.text = node.text
    for child in node:
        _copy(child, copied, anchor)
