"""What the equations view is about: all of the network, a layer, a unit, a weight or a bias."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chainrule.checks import shown
from chainrule.errors import InvalidArgumentError
from chainrule.network.spec import NetworkSpec
from chainrule.playground.inspection.places import drawn_layers, layer_index, parameter, whole

KINDS = ("layer", "unit", "weight", "bias")


@dataclass(frozen=True)
class Subject:
    """What was clicked.

    Parameters
    ----------
    kind : {"all", "layer", "unit", "weight", "bias"}
    layer : int
        As the drawing counts: 0 for the inputs, then the layers with weights.
    row : int
        The unit, from 0.
    column : int
        The unit below that a weight comes from, from 0.
    """

    kind: str = "all"
    layer: int = 0
    row: int = 0
    column: int = 0

    @classmethod
    def of(cls, spec: NetworkSpec, given: Mapping[str, Any] | None) -> "Subject":
        """Return the subject that a message names.

        Raises
        ------
        InvalidArgumentError
            If the network has no such part.
        """
        if given is None:
            return cls()
        if not isinstance(given, Mapping) or given.get("kind") not in KINDS:
            raise InvalidArgumentError(
                f"subject: expected an object whose kind is {', '.join(KINDS)}; got {shown(given)}"
            )
        kind, layer = given["kind"], whole(given, "layer")
        if kind in ("weight", "bias"):
            row, column = whole(given, "row"), whole(given, "column", 0)
            parameter(spec, "W" if kind == "weight" else "b", layer, row, column)
            return cls(kind, layer, row, column)
        row = whole(given, "unit") if kind == "unit" else 0
        units = spec.n_features if not layer else spec.sizes[layer_index(spec, layer)]
        if not 0 <= row < units:
            raise InvalidArgumentError(
                f"unit: expected 0 to {units - 1} in layer {layer}; got {shown(row)}"
            )
        return cls(kind, layer, row)

    def to_json(self) -> dict[str, Any] | None:
        """Return the subject as the page names it; None for all of the network."""
        if self.kind == "all":
            return None
        found: dict[str, Any] = {"kind": self.kind, "layer": self.layer}
        if self.kind == "unit":
            found["unit"] = self.row
        elif self.kind != "layer":
            found |= {"row": self.row}
        if self.kind == "weight":
            found["column"] = self.column
        return found


def drawn_layer(spec: NetworkSpec, l: int) -> int:  # noqa: E741 - the field's letter
    """Return the layer of the drawing that layer l of the equations belongs to.

    Layers without weights (dropout, batch normalisation) belong to the layer below them.
    """
    return sum(one <= l for one in drawn_layers(spec))
