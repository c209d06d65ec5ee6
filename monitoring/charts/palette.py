"""The colours of the charts, by what they stand for."""

from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True)
class Palette:
    """Colours as matplotlib takes them. `line` is what was measured, `reference` what it is compared with."""

    ink: str
    muted: str
    grid: str
    line: str
    reference: str
    alarm: str
    paper: str


LIGHT = Palette("#1c2430", "#66707f", "#e3e7ed", "#2563a8", "#8a94a3", "#c8452c", "#ffffff")

# Stand-ins that no chart uses otherwise; in a page each becomes the CSS variable of its name.
VARIABLES = Palette("#010101", "#020202", "#030303", "#040404", "#050505", "#060606", "#070707")


def with_css_variables(svg: str) -> str:
    """An SVG that was drawn in VARIABLES, its colours left to the page."""
    for field, colour in zip(fields(Palette), astuple(VARIABLES)):
        svg = svg.replace(colour, f"var(--{field.name})")
    return svg
