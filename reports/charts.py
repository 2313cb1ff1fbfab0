"""Charts as inline SVG. Sizes are in units of the view box; colours come from the page's CSS classes."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from markupsafe import Markup, escape

COLOURS = 8
"""Classes c1 … c8 of the page, for the items in the order of the card."""


def stacked_bar(parts: Sequence[tuple[str, Decimal]], scale: Decimal, height: int = 14) -> Markup:
    """One bar of stacked points; `scale` is the value at the right edge. Parts of zero or less are left out."""
    x, cells = 0.0, []
    for position, (label, value) in enumerate(parts):
        if value <= 0:
            continue
        width = float(value / scale) * 400
        title = escape(f"{label} {value:.2f}")
        cells.append(
            f'<rect class="c{position % COLOURS + 1}" x="{x:.2f}" width="{max(width - 0.8, 0.2):.2f}" '
            f'height="{height}">'
            f"<title>{title}</title></rect>"
        )
        x += width
    return _svg(400, height, "stack", "".join(cells), "none")


def bullet(attainment: Decimal | None, cap: Decimal | None) -> Markup:
    """Attainment as a bar to 150 %, with a tick at the target and, where given, one at the cap (as a ratio)."""
    width, full = 240.0, 1.5
    cells = [f'<rect class="track" width="{width}" height="10" y="3" rx="2"/>']
    if attainment is not None:
        length = min(max(float(attainment), 0.0), full) / full * width
        reached = "good" if attainment >= 1 else "short"
        cells.append(f'<rect class="{reached}" width="{max(length, 1):.2f}" height="10" y="3" rx="2"/>')
    if cap is not None and cap < Decimal("1.5"):
        position = float(cap) / full * width
        cells.append(f'<line class="cap" x1="{position:.2f}" x2="{position:.2f}" y1="1" y2="15"/>')
    cells.append(f'<line class="target" x1="{width / full:.2f}" x2="{width / full:.2f}" y1="0" y2="16"/>')
    return _svg(width, 16, "bullet", "".join(cells), "none")


def sparkline(trend: Sequence[tuple[date, Decimal | None]]) -> Markup:
    """A line through the months, the last one marked; gaps where a month has no value."""
    known = [float(value) for _, value in trend if value is not None]
    if len(known) < 2:
        return Markup("")
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    step = 150 / max(len(trend) - 1, 1)
    points, paths = [], []
    for position, (_, value) in enumerate([*trend, (date.max, None)]):
        if value is None:
            if len(points) > 1:
                paths.append("M" + " L".join(points))
            points = []
        else:
            points.append(f"{position * step + 4:.1f} {30 - (float(value) - low) / span * 26:.1f}")
            last = points[-1]
    x, y = last.split()
    lines = "".join(f'<path d="{path}"/>' for path in paths)
    months = f"{trend[0][0]:%Y-%m} – {trend[-1][0]:%Y-%m}"
    return _svg(160, 34, "spark", f"<title>{months}</title>{lines}<circle cx='{x}' cy='{y}' r='2.8'/>")


def histogram(values: Sequence[Decimal], marked: Decimal, width: int = 5) -> Markup:
    """How totals are spread, in classes of `width` points, with a line at `marked` (par)."""
    if not values:
        return Markup("")
    first = int(min(values)) // width * width
    last = max(int(max(values)) // width * width + width, int(marked) + width)
    classes = list(range(first, last, width))
    counts = [sum(1 for value in values if start <= value < start + width) for start in classes]
    top, space = max(counts), 560 / len(classes)
    cells = []
    for position, (start, count) in enumerate(zip(classes, counts, strict=True)):
        x, height = position * space + 20, count / top * 130
        reached = "good" if start >= marked else "short"
        cells.append(
            f'<rect class="{reached}" x="{x + 1.5:.1f}" y="{150 - height:.1f}" width="{space - 3:.1f}" '
            f'height="{height:.1f}" rx="2">'
            f"<title>{start} – {start + width}: {count}</title></rect>"
        )
        if count:
            cells.append(f'<text x="{x + space / 2:.1f}" y="{145 - height:.1f}" class="count">{count}</text>')
        cells.append(f'<text x="{x:.1f}" y="166" class="axis">{start}</text>')
    cells.append(f'<text x="{560 + 20}" y="166" class="axis">{last}</text>')
    at = (float(marked) - first) / width * space + 20
    cells.append(f'<line class="target" x1="{at:.1f}" x2="{at:.1f}" y1="8" y2="152"/>')
    cells.append('<line class="base" x1="18" x2="582" y1="150.5" y2="150.5"/>')
    return _svg(600, 172, "histogram", "".join(cells))


def curve(points: Sequence[tuple[Decimal, Decimal]], marked: Decimal = Decimal("0.2")) -> Markup:
    """A curve of shares (0 to 1) from the origin, with the diagonal of equal shares and a line at `marked`."""
    if not points:
        return Markup("")
    highest = max(1.0, *(float(share) for _, share in points))

    def at(share: Decimal | float, part: Decimal | float) -> str:
        return f"{float(share) * 540 + 40:.1f} {220 - float(part) / highest * 200:.1f}"

    line = " L".join(at(*point) for point in [(0, 0), *points])
    dots = []
    for share, part in points:
        x, y = at(share, part).split()
        dots.append(f'<circle cx="{x}" cy="{y}" r="2.6"><title>{share:.0%}: {part:.1%}</title></circle>')
    x = at(marked, 0).split()[0]
    axis = "".join(
        f'<text class="axis" x="{share * 540 + 40:.0f}" y="236">{share:.0%}</text>' for share in (0, 0.2, 0.5, 1)
    )
    return _svg(
        600,
        242,
        "curve",
        f'<path class="even" d="M{at(0, 0)} L{at(1, 1)}"/><line class="target" x1="{x}" x2="{x}" y1="14" y2="220"/>'
        f'<line class="base" x1="40" x2="580" y1="220.5" y2="220.5"/><path d="M{line}"/>{"".join(dots)}{axis}',
    )


def _svg(width: float, height: float, name: str, content: str, aspect: str = "xMidYMid meet") -> Markup:
    return Markup(
        f'<svg class="{name}" viewBox="0 0 {width:g} {height:g}" preserveAspectRatio="{aspect}" role="img">'
        f"{content}</svg>"
    )
