"""The parts of a fitted estimator that its predictions depend on."""

from typing import Any, NamedTuple

import numpy as np

from chainrule.estimators.labels import Labels
from chainrule.estimators.scaling import Scale
from chainrule.model.background import Background
from chainrule.model.conformal import Conformal
from chainrule.model.network import Network
from chainrule.tables.encoder import TableEncoder


class Parts(NamedTuple):
    """The network of an estimator, and the transformations of its inputs and outputs."""

    network: Network
    encoder: TableEncoder | None
    """Encodes the columns of a table as inputs; None if the estimator was fitted to numbers."""
    input_scale: Scale | None
    """Scales numbers before the network; None if they are passed on unchanged."""
    target_scale: Scale | None
    """Turns outputs into values in the target's units; None if they are values already."""
    labels: Labels | None
    """The classes that the outputs belong to; None for values."""
    target_name: str | None
    """The name of the column of y, where the estimator was fitted to a table."""
    conformal: Conformal | None
    """The scores of the validation examples, from which intervals and sets are made."""
    background: Background | None
    """A summary of a table's training rows, with which explanations compare."""

    def beyond_the_network(self) -> list[str]:
        """Return the names of the parts that a file of the network alone lacks."""
        found = []
        if self.encoder is not None:
            found.append("the encoding of its table")
        if _scales(self.input_scale):
            found.append("the scaling of its inputs")
        if _scales(self.target_scale):
            found.append("the scaling of its targets")
        if self.labels is not None and self.labels.kind != "multilabel":
            classes = self.labels.classes
            if classes.dtype.kind not in "iu" or classes.tolist() != [*range(len(classes))]:
                found.append("the names of its classes")
        return found


def parts_of(estimator: Any) -> Parts:
    """Return the parts of a fitted estimator."""
    given = vars(estimator)
    return Parts(
        estimator.network_,
        estimator.encoder_,
        given.get("_input_scale"),
        given.get("_target_scale"),
        given.get("_labels"),
        given.get("_target_name"),
        given.get("_conformal", {}).get(None),
        given.get("_background"),
    )


def _scales(scale: Scale | None) -> bool:
    return scale is not None and bool(np.any(scale.mean != 0) or np.any(scale.deviation != 1))
