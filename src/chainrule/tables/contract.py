"""scikit-learn's contract for a transformer, kept without importing scikit-learn.

Importing it takes longer than to train on a small table, and a model that only predicts has no use
for it. What the contract asks for is small: parameters by name, tags, fitted or not, and a choice
of output.
"""

import inspect
import sys
from typing import TYPE_CHECKING, Any, Literal, Self

from chainrule.errors import InvalidArgumentError
from chainrule.suggestions import did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_OUTPUTS = ("default", "pandas", "polars")


class Transformer:
    """What scikit-learn's clone, pipelines and searches ask of a transformer."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""
        return {name: getattr(self, name) for name in _parameters(type(self))}

    def set_params(self, **parameters: Any) -> Self:
        """Set parameters by name.

        Raises
        ------
        InvalidArgumentError
            If there is none of a name.
        """
        known = _parameters(type(self))
        for name, value in parameters.items():
            if name not in known:
                raise InvalidArgumentError(
                    f"set_params: expected some of {', '.join(known)}; got {name!r}"
                    f"{did_you_mean(name, known)}"
                )
            setattr(self, name, value)
        return self

    def set_output(
        self, *, transform: Literal["default", "pandas", "polars"] | None = None
    ) -> Self:
        """Choose what `transform` returns: an array ("default"), or a table with names.

        Raises
        ------
        InvalidArgumentError
            If it is none of these.
        """
        if transform is not None:
            if transform not in _OUTPUTS:
                raise InvalidArgumentError(
                    f"transform: expected one of {', '.join(_OUTPUTS)}; got {transform!r}"
                    f"{did_you_mean(transform, _OUTPUTS)}"
                )
            self._sklearn_output_config = {"transform": transform}
        return self

    def _as_chosen(self, inputs: "NDArray[np.float32]", names: "NDArray[Any]") -> Any:
        """Return an array in the form that `set_output`, or scikit-learn's setting, asks for."""
        chosen = getattr(self, "_sklearn_output_config", {}).get("transform")
        if chosen is None and "sklearn" in sys.modules:
            from sklearn import get_config

            chosen = get_config()["transform_output"]
        if chosen == "polars":
            import polars as pl

            return pl.DataFrame(inputs, schema=list(names))
        if chosen == "pandas":
            import pandas as pd

            return pd.DataFrame(inputs, columns=names, copy=False)
        return inputs

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=[]),
            input_tags=InputTags(string=True, categorical=True, allow_nan=True),
        )

    def __repr__(self) -> str:
        defaults = _parameters(type(self))
        set_ones = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if value != defaults[name]
        ]
        return f"{type(self).__name__}({', '.join(set_ones)})"


def _parameters(kind: type) -> dict[str, Any]:
    """Return the parameters of a class with their defaults."""
    signature = inspect.signature(kind)
    return {name: parameter.default for name, parameter in signature.parameters.items()}
