"""ONNX: the encoder, the network and what its outputs mean, in one graph.

Numbers, true and false (1 and 0) and dates (seconds since 1970-01-01 00:00 of their own clock) are
tensors of float64, NaN where missing; categories are tensors of text, "" where missing. The table's
arithmetic is in float64, as in the package; the network's in float32, whatever its own precision.
"""

import ast
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.exports.intervals import Interval
from chainrule.exports.onnx_columns import encoded
from chainrule.exports.onnx_graph import Graph
from chainrule.exports.program import Program
from chainrule.exports.stages import Activations, HeadActivation, Scaled
from chainrule.exports.texts import check_utf8, names_of, texts_of
from chainrule.files.atomic import atomic_path
from chainrule.network.layers.operations import Affine, Binned, GroupedAffine, Periodic
from chainrule.tables.transform import TargetTransform

# Versions of 2022, which all current ONNX runtimes read.
OPSET = 17
ML_OPSET = 3
IR_VERSION = 8


def write(program: Program, path: Path, name: str) -> tuple[Path, ...]:
    """Write a program as an ONNX file."""
    model = model_of(program, name)
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
    return (path,)


def model_of(program: Program, name: str) -> Any:
    """Return a program as an ``onnx.ModelProto``, checked by `onnx.checker`.

    Raises
    ------
    InvalidArgumentError
        If a text cannot be encoded as UTF-8.
    """
    import onnx
    from onnx import helper

    for whose, text in (*names_of(program), *texts_of(program)):
        check_utf8(whose, text)
    graph = Graph(taken={column.name for column in program.columns})
    value = _inputs(graph, program)
    for stage in program.stages:
        if isinstance(stage, Affine):
            W, b = (graph.constant(x.astype(np.float32)) for x in (stage.W.T, stage.b))
            value = graph.node("Gemm", [value, W, b])
        elif isinstance(stage, GroupedAffine):
            value = _grouped(graph, value, stage)
        elif isinstance(stage, Scaled):
            scale, shift = (graph.constant(x.astype(np.float32)) for x in stage)
            value = graph.node("Add", [graph.node("Mul", [value, scale]), shift])
        elif isinstance(stage, Binned):
            value = _binned(graph, value, stage)
        elif isinstance(stage, Periodic):
            value = _periodic(graph, value, stage)
        else:
            value = _activated(graph, value, stage)
    _outputs(graph, program, value)
    import chainrule

    model = helper.make_model(
        graph.proto(name),
        opset_imports=[
            helper.make_opsetid("", OPSET),
            helper.make_opsetid("ai.onnx.ml", ML_OPSET),
        ],
        ir_version=IR_VERSION,
        producer_name="chainrule",
        producer_version=chainrule.__version__,
        doc_string=__doc__,
    )
    if program.target:
        helper.set_model_props(model, {"target": program.target})
    onnx.checker.check_model(model, full_check=True)
    return model


def _inputs(graph: Graph, program: Program) -> str:
    if program.columns:
        return encoded(graph, program.columns)
    if program.mean is None or program.deviation is None:
        return graph.input("X", np.float32, program.n_features)
    value = graph.input("X", np.float64, program.n_features)
    value = graph.node("Sub", [value, graph.constant(program.mean)])
    value = graph.node("Div", [value, graph.constant(program.deviation)])
    return graph.cast(value, np.float32)


def _outputs(graph: Graph, program: Program, value: str) -> None:
    if program.meaning == "outputs":
        graph.output(value, "Y", np.float32, program.n_outputs)
        return
    if program.meaning == "values":
        value = graph.cast(value, np.float64)
        if program.target_mean is not None and program.target_deviation is not None:
            value = graph.node("Mul", [value, graph.constant(program.target_deviation)])
            value = graph.node("Add", [value, graph.constant(program.target_mean)])
        learned = value
        if program.transform is not None:
            value = _undone(graph, value, program.transform)
        graph.output(value, "prediction", np.float64, program.n_outputs)
        if program.interval is not None:
            for name, end in zip(
                ("lower", "upper"), _ends(graph, program, learned, program.interval), strict=True
            ):
                graph.output(end, name, np.float64, program.n_outputs)
        return
    if program.is_single:
        one = graph.constant(np.ones(1, np.float32))
        value = graph.node("Concat", [graph.node("Sub", [one, value]), value], axis=1)
    width = max(program.n_outputs, 1 + program.is_single)
    if program.meaning == "labels":
        half = graph.constant(np.full(1, 0.5, np.float32))
        label = graph.cast(graph.node("Greater", [value, half]), np.int64)
        graph.output(label, "label", np.int64, width)
    else:
        # A NumPy string array strips trailing NUL characters; an object array keeps them.
        texts = any(isinstance(name, str) for name in program.classes)
        classes = np.array(program.classes, object if texts else None)
        place = graph.node("ArgMax", [value], axis=1, keepdims=0)
        label = graph.node("Gather", [graph.constant(classes), place], axis=0)
        graph.output(label, "label", classes.dtype)
    graph.output(value, "probabilities", np.float32, width)
    if program.interval is not None:
        score = graph.node("Sub", [graph.constant(np.ones(1)), graph.cast(value, np.float64)])
        member = graph.node("LessOrEqual", [score, graph.constant(program.interval.quantile)])
        graph.output(member, "prediction_set", np.bool_, width)


def _ends(graph: Graph, program: Program, value: str, interval: Interval) -> tuple[str, str]:
    """Return both ends of an interval, CP3, of values before any transform is undone."""
    transform = program.transform
    if transform is not None:
        limits = [graph.constant(np.array(x)) for x in (transform.low, transform.high)]
        value = graph.node("Clip", [value, *limits])
    quantile = graph.constant(interval.quantile)
    lower, upper = (graph.node(operator, [value, quantile]) for operator in ("Sub", "Add"))
    if transform is not None:
        lower, upper = (_inverted(graph, t, transform.plain) for t in (lower, upper))
    elif interval.lowest > -np.inf:
        lower = graph.node("Max", [lower, graph.constant(np.array(interval.lowest))])
    return lower, upper


def _undone(graph: Graph, value: str, transform: TargetTransform) -> str:
    """Return the value with the transform undone (TT3), clipped to the bounds."""
    ends = [graph.constant(np.array(x)) for x in (transform.low, transform.high)]  # scalars
    value = _inverted(graph, graph.node("Clip", [value, *ends]), transform)
    return graph.node("Clip", [value, *(graph.constant(np.array(x)) for x in transform.bounds)])


def _inverted(graph: Graph, t: str, transform: TargetTransform) -> str:
    """Return TT3."""

    def number(x: float) -> str:
        return graph.constant(np.array(x))

    rising = graph.node("Mul", [graph.node("Exp", [t]), number(transform.rise)])
    falling = graph.node("Exp", [graph.node("Neg", [t])])
    falling = graph.node("Mul", [falling, number(transform.fall)])
    moved = graph.node("Mul", [graph.node("Sub", [rising, falling]), number(transform.spread)])
    return graph.node("Add", [moved, number(transform.center)])


def _grouped(graph: Graph, value: str, stage: GroupedAffine) -> str:
    """Return the sums of each group, as one product of a batch of matrices."""
    groups, n_out, n_in = stage.W.shape
    W, b = (graph.constant(x.astype(np.float32)) for x in (stage.W.transpose(0, 2, 1), stage.b))
    value = graph.node("Reshape", [value, graph.constant(np.array([-1, groups, n_in]))])
    value = graph.node("MatMul", [graph.node("Transpose", [value], perm=[1, 0, 2]), W])
    value = graph.node("Transpose", [value], perm=[1, 0, 2])
    value = graph.node("Reshape", [value, graph.constant(np.array([-1, groups * n_out]))])
    return graph.node("Add", [value, b])


def _binned(graph: Graph, value: str, stage: Binned) -> str:
    """Return the units with PL1 of each bin after them."""
    columns = graph.constant(stage.columns.astype(np.int64))
    bins = graph.node("Gather", [value, columns], axis=1)
    lower, width = (graph.constant(x.astype(np.float32)) for x in (stage.lower, stage.width))
    bins = graph.node("Div", [graph.node("Sub", [bins, lower]), width])
    ends = [graph.constant(np.array(x, np.float32)) for x in (0.0, 1.0)]  # scalars
    return graph.node("Concat", [value, graph.node("Clip", [bins, *ends])], axis=1)


def _periodic(graph: Graph, value: str, stage: Periodic) -> str:
    """Return the units, and below them PE2 of some of them."""
    k, s, F = stage.V.shape
    columns = graph.constant(np.repeat(stage.columns.astype(np.int64), F))
    rates, phases = (
        graph.constant(x.astype(np.float32).ravel()) for x in (2 * np.pi * stage.w, stage.c)
    )
    psi = graph.node("Mul", [graph.node("Gather", [value, columns], axis=1), rates])
    cosines = graph.node("Cos", [graph.node("Add", [psi, phases])])
    # As k products with matrices of their own, of one row for each example.
    rows = graph.node("Reshape", [cosines, graph.constant(np.array([-1, k, 1, F]))])
    V = graph.constant(stage.V.astype(np.float32).transpose(0, 2, 1))
    mixed = graph.node(
        "Reshape", [graph.node("MatMul", [rows, V]), graph.constant(np.array([-1, k * s]))]
    )
    shifts = graph.constant(stage.d.astype(np.float32).ravel())
    return graph.node("Concat", [value, graph.node("Add", [mixed, shifts])], axis=1)


def _activated(graph: Graph, value: str, stage: Activations) -> str:
    if stage.strength is not None:
        moved = graph.node("Sub", [_activated(graph, value, Activations(stage.heads)), value])
        strength = graph.constant(stage.strength.astype(np.float32))
        return graph.node("Add", [value, graph.node("Mul", [moved, strength])])
    if len(stage.heads) == 1:
        return _sigma(graph, value, stage.heads[0])
    heads = []
    for part in stage.heads:
        begin, end, axis = (graph.constant(np.array([i])) for i in (part.begin, part.end, 1))
        heads.append(_sigma(graph, graph.node("Slice", [value, begin, end, axis]), part))
    return graph.node("Concat", heads, axis=1)


def _sigma(graph: Graph, value: str, part: HeadActivation) -> str:
    sigma = part.activation
    call = ast.parse(sigma.row.onnx.format(**sigma.parameters), mode="eval").body
    return _applied(graph, value, call)


def _applied(graph: Graph, value: str, call: ast.expr) -> str:
    """Add the nodes of a call expression such as Tanh(z), at z = `value`; return its result."""
    if isinstance(call, ast.Name):
        return value
    if not isinstance(call, ast.Call):
        return graph.constant(np.full(1, ast.literal_eval(call), np.float32))
    assert isinstance(call.func, ast.Name)
    inputs = [_applied(graph, value, argument) for argument in call.args]
    attributes = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
    return graph.node(call.func.id, inputs, **attributes)
