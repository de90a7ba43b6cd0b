"""Builds the elements of a picture: escaped texts, rounded coordinates, tooltips and links."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAKS = re.compile("[\t\n\r\u0085\u2028\u2029]")

Pixels = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a picture, in pixels. A narrow page shows it smaller."""

    width: float
    height: float


def picture(kind: str, label: str, size: Size, *, has_links: bool = False) -> Element:
    """The root of a picture. A picture without links is one image to a screen reader, which reads its label."""
    return Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": f"chart {kind}",
            "width": _number(size.width),
            "height": _number(size.height),
            "viewBox": f"0 0 {_number(size.width)} {_number(size.height)}",
            "role": "group" if has_links else "img",
            "aria-label": one_line(label),
        },
    )


def add(parent: Element, tag: str, class_name: str | None = None, *, text: str | None = None, **attributes: float | str | None) -> Element:
    """Append an element. `_` in names of attributes stands for `-`; numbers are rounded to a tenth of a pixel; None is left out."""
    values = {name.replace("_", "-"): _value(value) for name, value in attributes.items() if value is not None}
    element = ET.SubElement(parent, tag, ({"class": class_name} if class_name else {}) | values)
    if text is not None:
        element.text = one_line(text)
    return element


def label(parent: Element, at: Pixels, text: str, *, anchor: str = "start", class_name: str = "label") -> Element:
    """A text that begins, ends or has its middle at a point."""
    return add(parent, "text", class_name, text=text, x=at[0], y=at[1], text_anchor=anchor)


def heading(parent: Element, at: Pixels, name: str, url: str | None, length: int) -> None:
    """The name of a row, to the left of a point: at most `length` characters, and the whole of it in a tooltip."""
    tooltip(label(linked(parent, url), at, shortened(name, length), anchor="end", class_name="label name"), name)


def linked(parent: Element, url: str | None) -> Element:
    """A link around what is appended to it, or the parent itself without a URL."""
    return parent if url is None else add(parent, "a", href=url)


def tooltip(element: Element, text: str) -> None:
    """What a pointer over the element, or a screen reader on it, says."""
    add(element, "title", text=text)


def path(points: Sequence[Pixels], *, closed: bool = False) -> str:
    """The commands of a line through these points."""
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points) + ("Z" if closed else "")


def render(root: Element) -> str:
    """The picture as text, well-formed whatever its names contain."""
    return ET.tostring(root, encoding="unicode")


def one_line(text: str) -> str:
    """The text without characters that XML does not know, on one line."""
    return _NOT_IN_XML.sub("\ufffd", _LINE_BREAKS.sub(" ", text))


def shortened(text: str, length: int) -> str:
    """At most so many characters; the end is cut."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _value(value: float | str) -> str:
    return one_line(value) if isinstance(value, str) else _number(value)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
