"""Builds an ONNX graph: nodes, constants and unique names."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike


class Graph:
    """Collects nodes; a value is the name of a node's output.

    Parameters
    ----------
    taken : set of str
        Names reserved for inputs.
    """

    def __init__(self, taken: set[str]) -> None:
        self._taken = set(taken)
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def node(
        self, operator: str, inputs: Sequence[str], domain: str = "", **attributes: Any
    ) -> str:
        """Add a node with one output; return its name."""
        from onnx import helper

        output = self._name(operator.lower())
        attributes = {"domain": domain, **attributes} if domain else attributes
        self._nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, value: ArrayLike) -> str:
        """Return the name of a constant; equal numeric constants are stored once."""
        from onnx import TensorProto, numpy_helper

        array = np.asarray(value)
        if array.dtype.kind in "US":
            array = array.astype(object)
        if array.dtype == object:
            name = self._name("text")
            # Not make_tensor, whose NumPy array strips trailing NUL characters.
            tensor = TensorProto(name=name, data_type=_type(np.str_), dims=array.shape)
            tensor.string_data.extend(str(text).encode("utf-8") for text in array.ravel())
            self._constants.append(tensor)
            return name
        array = np.ascontiguousarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = self._name("constant")
            self._constants.append(numpy_helper.from_array(array, self._known[key]))
        return self._known[key]

    def cast(self, value: str, dtype: DTypeLike) -> str:
        """Return a value converted to another type."""
        return self.node("Cast", [value], to=_type(dtype))

    def input(self, name: str, dtype: DTypeLike, width: int) -> str:
        """Declare an input, (N, width); an empty name, which ONNX forbids, is replaced."""
        from onnx import helper

        if not name:
            name = self._name("column")
        self._taken.add(name)
        self._inputs.append(helper.make_tensor_value_info(name, _type(dtype), ["N", width]))
        return name

    def output(self, value: str, name: str, dtype: DTypeLike, width: int | None = None) -> None:
        """Declare a value as an output, (N, width) or (N,)."""
        from onnx import helper

        shape: list[str | int] = ["N"] if width is None else ["N", width]
        name = self._name(name)
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, _type(dtype), shape))

    def proto(self, name: str) -> Any:
        """Return the graph as an ``onnx.GraphProto``."""
        from onnx import helper

        return helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._constants)

    def _name(self, stem: str) -> str:
        name, count = stem, 1
        while name in self._taken:
            count += 1
            name = f"{stem}_{count}"
        self._taken.add(name)
        return name


def _type(dtype: DTypeLike) -> int:
    from onnx import TensorProto, helper

    dtype = np.dtype(dtype)
    if dtype.kind in "OUS":
        return int(TensorProto.STRING)
    return int(helper.np_dtype_to_tensor_dtype(dtype))
