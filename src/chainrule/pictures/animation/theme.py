"""The colours of a film, on a light and on a dark ground."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from chainrule.checks import shown
from chainrule.errors import InvalidArgumentError
from chainrule.suggestions import did_you_mean

if TYPE_CHECKING:
    from matplotlib.colors import Colormap


@dataclass(frozen=True)
class Theme:
    """The colours of a film."""

    ground: str
    ink: str
    muted: str
    """Of axes, captions and what has not happened yet."""
    faint: str
    """Of grids and frames."""
    training: str
    validation: str
    classes: tuple[str, ...]
    """Of the classes, distinguishable with every kind of colour blindness while they are few."""
    weights: tuple[str, ...]
    """From the most negative weight over 0 to the most positive one."""
    layers: tuple[str, str]
    """From the first layer to the last one."""
    values: str
    """Name of the colours of values, from low to high."""

    def class_colour(self, index: int) -> str:
        """Return the colour of a class; more than ten classes share colours."""
        return self.classes[index % len(self.classes)]

    def weight_colours(self) -> "Colormap":
        """Return the colours of the weights."""
        from matplotlib.colors import LinearSegmentedColormap

        return LinearSegmentedColormap.from_list("weights", list(self.weights))

    def layer_colours(self, count: int) -> list[str]:
        """Return a colour for each layer."""
        from matplotlib.colors import LinearSegmentedColormap, to_hex

        between = LinearSegmentedColormap.from_list("layers", list(self.layers))
        return [to_hex(between(index / max(1, count - 1))) for index in range(count)]


# From the palette of Okabe and Ito; three more for tables with many classes.
LIGHT = Theme(
    ground="#FFFFFF",
    ink="#1F2328",
    muted="#6E7781",
    faint="#DDE1E6",
    training="#0072B2",
    validation="#D55E00",
    classes=(
        "#0072B2",
        "#D55E00",
        "#009E73",
        "#CC79A7",
        "#E69F00",
        "#56B4E9",
        "#7A6FB3",
        "#8C6D46",
        "#6E7781",
        "#B8A800",
    ),
    weights=("#9E0F25", "#D6604D", "#E9E5E1", "#4393C3", "#08519C"),
    layers=("#7A3FA0", "#A66300"),
    values="viridis",
)
DARK = Theme(
    ground="#0D1117",
    ink="#E6EDF3",
    muted="#8B949E",
    faint="#2B323B",
    training="#58A6FF",
    validation="#FF9A57",
    classes=(
        "#58A6FF",
        "#FF9A57",
        "#3FCF9F",
        "#E6A3CB",
        "#F2C14E",
        "#8ED6FF",
        "#B3A6F0",
        "#C9A77D",
        "#A6AEB7",
        "#E5DB5C",
    ),
    weights=("#FF6B70", "#B5484F", "#343A42", "#3B78B8", "#6CB6FF"),
    layers=("#C08BE8", "#F2C14E"),
    values="viridis",
)
THEMES = MappingProxyType({"light": LIGHT, "dark": DARK})


def theme_named(name: object) -> Theme:
    """Return a theme by its name.

    Raises
    ------
    InvalidArgumentError
        If there is none of that name.
    """
    if isinstance(name, str) and name in THEMES:
        return THEMES[name]
    raise InvalidArgumentError(
        f"theme: expected light or dark; got {shown(name)}{did_you_mean(name, THEMES)}"
    )
