"""SVG plots, written by hand: bars on a logarithmic axis, ratios beside their targets, lines."""

import math
from xml.sax.saxutils import escape

WIDTH = 900
COLOURS = {"Ringcast": "#0b6fb8", "Bun": "#e07b00", "nats-server": "#2a9d5c", "mosquitto": "#8e5bb5",
           "ws": "#c43d3d", "fox-wamp": "#8a6d3b", "floor": "#9aa3ab"}
PALETTE = ("#0b6fb8", "#e07b00", "#2a9d5c", "#8e5bb5", "#c43d3d", "#8a6d3b")
INK, FAINT = "#22282e", "#d9dee3"


class Canvas:
    def __init__(self, height, title):
        self.height = height
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
                      f'height="{height}" font-family="system-ui, sans-serif" font-size="12" role="img" '
                      f'aria-label="{escape(title, {chr(34): "&quot;"})}">',
                      f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>']
        self.text(16, 24, title, size=15, weight="600")

    def text(self, x, y, words, anchor="start", size=12, fill=INK, weight="400"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
                          f'font-weight="{weight}" fill="{fill}">{escape(str(words))}</text>')

    def box(self, x, y, width, height, fill):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height:.1f}" '
                          f'fill="{fill}"/>')

    def line(self, x1, y1, x2, y2, stroke=FAINT, width=1.0):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" '
                          f'stroke-width="{width}"/>')

    def path(self, points, stroke):
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{joined}" fill="none" stroke="{stroke}" stroke-width="2"/>')
        for x, y in points:
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{stroke}"/>')

    def legend(self, x, y, names_and_colours):
        for name, colour in names_and_colours:
            self.box(x, y - 9, 10, 10, colour)
            self.text(x + 14, y, name)
            x += 30 + 7 * len(name)

    def done(self):
        return "\n".join([*self.parts, "</svg>\n"])


def short(value):
    """Three digits and no more."""
    if value >= 1e5:
        return f"{value / 1e3:.0f}k"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def decades(least, most):
    """Powers of ten with 2 and 5 between them, from below the least to above the most."""
    ticks = [step * 10.0 ** power for power in range(math.floor(math.log10(least)) - 1,
                                                     math.ceil(math.log10(most)) + 2) for step in (1, 2, 5)]
    below = max(tick for tick in ticks if tick <= least)
    above = min(tick for tick in ticks if tick >= most)
    return [tick for tick in ticks if below <= tick <= max(above, below * 10)]


def logarithmic(ticks, start, end):
    low, high = math.log10(ticks[0]), math.log10(ticks[-1])
    return lambda value: start + (math.log10(value) - low) / (high - low) * (end - start)


def bars(title, sides, groups):
    """groups: (name, {side: value}); one bar per side and group, on one logarithmic axis."""
    left, right, bar = 290, WIDTH - 70, 13
    values = [value for _, group in groups for value in group.values() if value > 0]
    present = [side for side in sides if any(side in group for _, group in groups)]
    height = 90 + sum(bar * len(group) + 12 for _, group in groups)
    canvas = Canvas(height, title)
    canvas.legend(16, 48, [(side, COLOURS[side]) for side in present])
    if not values:
        return canvas.done()
    ticks = decades(min(values) / 1.5, max(values))
    place = logarithmic(ticks, left, right)
    for tick in ticks:
        canvas.line(place(tick), 60, place(tick), height - 26)
        canvas.text(place(tick), height - 10, short(tick), anchor="middle", size=11)
    y = 64
    for name, group in groups:
        canvas.text(left - 8, y + bar * len(group) / 2 + 4, name, anchor="end")
        for side in present:
            if group.get(side, 0) <= 0:
                continue
            canvas.box(left, y, place(group[side]) - left, bar - 2, COLOURS[side])
            canvas.text(place(group[side]) + 4, y + bar - 3, short(group[side]), size=11)
            y += bar
        y += 12
    return canvas.done()


def markers(title, entries):
    """entries: (name, ratio, target); a bar for the ratio, green if it is within the target, and the target's mark."""
    left, right, step, most = 430, WIDTH - 70, 22, 2.0
    height = 90 + step * len(entries)
    canvas = Canvas(height, title)
    canvas.legend(16, 48, [("target met", PALETTE[2]), ("not met", PALETTE[4])])
    canvas.line(250, 38, 250, 50, INK, 2)
    canvas.text(258, 48, "target")

    def place(value):
        return left + min(value, most) / most * (right - left)

    for tick in (0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2):
        canvas.line(place(tick), 60, place(tick), height - 26, INK if tick == 1 else FAINT)
        canvas.text(place(tick), height - 10, f"{tick:g}", anchor="middle", size=11)
    for index, (name, ratio, target) in enumerate(entries):
        y = 64 + step * index
        canvas.text(left - 8, y + 12, name, anchor="end")
        canvas.box(left, y + 2, place(ratio) - left, step - 8, PALETTE[2] if ratio <= target else PALETTE[4])
        canvas.line(place(target), y - 1, place(target), y + step - 3, INK, 2)
        canvas.text(place(max(ratio, target)) + 5, y + 13, f"{ratio:.2f}", size=11)
    return canvas.done()


def lines(title, x_label, series):
    """series: (name, [(x, y)]); both axes logarithmic."""
    height, left, right, top, bottom = 380, 70, WIDTH - 30, 66, 330
    canvas = Canvas(height, title)
    colours = [(name, PALETTE[index % len(PALETTE)]) for index, (name, _) in enumerate(series)]
    canvas.legend(16, 48, colours)
    points = [point for _, line in series for point in line]
    if not points:
        return canvas.done()
    x_ticks = decades(min(x for x, _ in points), max(x for x, _ in points))
    y_ticks = decades(min(y for _, y in points) / 1.2, max(y for _, y in points))
    place_x, place_y = logarithmic(x_ticks, left, right), logarithmic(y_ticks, bottom, top)
    for tick in x_ticks:
        canvas.line(place_x(tick), top, place_x(tick), bottom)
        canvas.text(place_x(tick), bottom + 18, short(tick), anchor="middle", size=11)
    for tick in y_ticks:
        canvas.line(left, place_y(tick), right, place_y(tick))
        canvas.text(left - 8, place_y(tick) + 4, short(tick), anchor="end", size=11)
    canvas.text((left + right) / 2, height - 12, x_label, anchor="middle")
    for (_, line), (_, colour) in zip(series, colours):
        canvas.path([(place_x(x), place_y(y)) for x, y in line], colour)
    return canvas.done()
