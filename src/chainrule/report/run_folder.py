"""The folder that a training leaves behind: model, history, pictures, metrics."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.files.atomic import atomic_path
from chainrule.model.table_model import TableModel
from chainrule.report.curves import learning_curves
from chainrule.report.drawing import draw_network
from chainrule.training.history import History


@dataclass(frozen=True)
class RunFolder:
    """Where the files of a run lie; each is replaced whole by the next run in the same folder."""

    path: Path

    @property
    def model(self) -> Path:
        """The model file."""
        return self.path / "model.safetensors"

    @property
    def history(self) -> Path:
        """The history, a row an epoch."""
        return self.path / "history.csv"

    @property
    def learning_curves(self) -> Path:
        """The picture of the history."""
        return self.path / "learning_curves.png"

    @property
    def network(self) -> Path:
        """The picture of the network."""
        return self.path / "network.png"

    @property
    def metrics(self) -> Path:
        """The scores of the training, validation and test rows."""
        return self.path / "metrics.json"

    def create(self) -> None:
        """Make the folder if it is not there."""
        self.path.mkdir(parents=True, exist_ok=True)

    def write_report(
        self, model: TableModel, history: History, scores: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Draw the pictures and write the metrics."""
        target = model.target
        outputs = list(map(str, target.classes)) or [target.name]
        if model.network.spec.n_outputs == 1:
            outputs = outputs[-1:]
        learning_curves(history, self.learning_curves)
        draw_network(
            model.network, self.network, list(model.encoder.get_feature_names_out()), outputs
        )
        text = json.dumps(scores, indent=2, ensure_ascii=False, allow_nan=False)
        with atomic_path(self.metrics) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
