"""The command info."""

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chainrule.cli.options import optional_model_file
from chainrule.cli.streams import say_json

if TYPE_CHECKING:
    from chainrule.model.network import Network
    from chainrule.model.table_model import TableModel


_EXAMPLES = """Examples:

chainrule info

chainrule info run/model.safetensors

chainrule info run/model.safetensors --json
"""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog=_EXAMPLES)(info)


def info(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="[MODEL]",
            help="A model file, or the folder of a run.",
            callback=optional_model_file,
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Show the installation and the machine's capabilities, or the content of a model file."""
    facts = _installation() if model is None else _contents(model)
    if json:
        say_json(dict(facts))
        return
    from chainrule.cli.displays import console, fact_table

    console().print(fact_table(facts))


def _installation() -> list[tuple[str, str]]:
    import numpy as np

    from chainrule import __version__
    from chainrule.engines import ENGINES, engine_named
    from chainrule.engines.extension import native, reason

    if native is None:
        core = f"none ({reason}); everything runs on the reference engine"
    else:
        cpu = native.cpu_info()
        unused = [name for name in cpu["features"] if name not in cpu["instruction_sets"]]
        core = (
            f"uses {native.instruction_set()}; this CPU offers "
            f"{', '.join(cpu['instruction_sets'])}; {cpu['cores']} cores; precisions "
            f"{', '.join(['full', *cpu['precisions']])}"
        ) + (f"; no kernels use its {', '.join(unused)}" if unused else "")
    return [
        ("chainrule", __version__),
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        ("NumPy", np.__version__),
        ("engines", f"{', '.join(ENGINES)} (auto: {engine_named('auto').name})"),
        ("compiled core", core),
        ("jax", _version_of_jax()),
    ]


def _version_of_jax() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("jax")
    except PackageNotFoundError:
        return "not installed; the engine needs pip install 'chainrule[jax]'"


def _contents(path: Path) -> list[tuple[str, str]]:
    from chainrule.model.network import Network
    from chainrule.model.table_model import TableModel
    from chainrule.runs.loader import load

    model = load(path)
    file = ("file", str(path))
    if isinstance(model, TableModel):
        return [file, *_of_table(model), *_of_network(model.network)]
    if isinstance(model, Network):
        return [file, ("kind", "a network"), *_of_network(model)]
    return [file, *_of_estimator(model), *_of_network(model.network_)]


def _of_estimator(model: Any) -> list[tuple[str, str]]:
    from chainrule.cli.displays import describe_classes

    facts = [("kind", "an estimator"), ("parameters set", " ".join(repr(model).split()))]
    targets = getattr(model, "targets_", None)
    if targets is not None:
        facts.append(("targets", describe_classes([target.name for target in targets], 40)))
    elif hasattr(model, "classes_"):
        facts.append(("classes", describe_classes(model.classes_.tolist())))
    names = list(getattr(model, "feature_names_in_", ()))
    text = describe_classes(names, 40) if names else "from an array without names"
    facts.append((f"{model.n_features_in_} columns", text))
    if model.encoder_ is not None and model.encoder_.dropped_:
        facts.append(("left out", "; ".join(map(str, model.encoder_.dropped_))))
    return facts


def _of_table(model: "TableModel") -> list[tuple[str, str]]:
    from chainrule.cli.displays import describe_classes

    target, encoder = model.target, model.encoder
    facts = [
        ("kind", f"a network and its table: {target.task}"),
        ("target", target.name),
    ]
    if target.task == "classification":
        facts.append(("classes", describe_classes(target.classes)))
    else:
        facts += _of_values(model)
    names = describe_classes([column.name for column in encoder.columns_], 40)
    facts.append((f"{len(encoder.columns_)} columns", names))
    if encoder.dropped_:
        facts.append(("left out", "; ".join(map(str, encoder.dropped_))))
    return [*facts, *_of_details(model.details)]


def _of_values(model: "TableModel") -> list[tuple[str, str]]:
    """Return mean and deviation of a target, and the transformation it is learned by."""
    from chainrule.cli.messages import mean_and_spread

    target = model.target
    known = _mapping(model.details.get("target"))
    mean, deviation = known.get("mean"), known.get("deviation")
    facts = []
    if isinstance(mean, float) and isinstance(deviation, float):
        facts.append(("mean ± deviation", mean_and_spread(mean, deviation)))
    elif target.transform is None:  # an older file without these details
        facts.append(("mean ± deviation", mean_and_spread(target.mean, target.std)))
    if target.transform is not None:
        low, high = target.transform.bounds
        said = f"{target.transform.kind} of the values; predictions from {low:.6g} to {high:.6g}"
        facts.append(("learned as", said))
    return facts


def _of_details(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the details that training wrote; any others in the file are ignored."""
    from chainrule.runs.program_name import called

    facts = []
    if isinstance(details.get("command"), str):
        facts.append(("trained by", called(details["command"])))
    rows, scores, versions = (_mapping(details.get(k)) for k in ("rows", "scores", "versions"))
    if rows:
        facts.append(("rows", ", ".join(f"{name} {number}" for name, number in rows.items())))
    for part, part_scores in scores.items():
        shown = [
            f"{name} {value:.5g}"
            for name, value in _mapping(part_scores).items()
            if isinstance(value, float)
        ]
        facts.append((f"{part} scores", ", ".join(shown)))
    if versions:
        listed = ", ".join(f"{name} {version}" for name, version in versions.items())
        facts.append(("versions", listed))
    return facts


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _of_network(network: "Network") -> list[tuple[str, str]]:
    spec = network.spec
    return [
        ("layers", ", ".join([str(spec.n_features), *(layer.brief for layer in spec.layers)])),
        ("cost", str(spec.cost)),
        ("parameters", f"{network.parameters.size:,} of {spec.dtype}"),
        ("epochs trained", str(network.epochs_trained)),
        ("seed", str(network.seed)),
    ]
