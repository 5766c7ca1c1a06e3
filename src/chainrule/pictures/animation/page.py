"""A film as a page: its numbers, packed, and a script that draws them."""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.network.parameters import named_views, weights_between
from chainrule.pictures.animation.charts import drawn, layer_name
from chainrule.pictures.animation.film import Film, Plane, Scene, Values
from chainrule.pictures.animation.network_panel import MOST_UNITS, drawn_units
from chainrule.pictures.animation.shading import banded, shades, value_colours
from chainrule.pictures.animation.theme import THEMES, Theme
from chainrule.pictures.canvas import shortened
from chainrule.pictures.curves import LOGARITHMIC_FROM

_SIDE = 192
"""Pixels of the map along each axis, which the browser enlarges."""
_MOST_NAMES = 10
_NAME = 24
_ROWS = 12
"""Of the table of numbers."""
_MOST_POINTS = 500
"""Of a curve."""


def page(film: Film, seconds: float, theme: str | None, shown: Callable[[int], None]) -> str:
    """Return a film as a self-contained page with a slider.

    Parameters
    ----------
    film : Film
    seconds : float
        Of the whole film.
    theme : {"light", "dark"} or None
        None: that of the reader's system.
    shown : callable
        Called with the number of frames that are done.
    """
    script = _file("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    content = _content(film, shown) | {"seconds": seconds, "theme": theme}
    # "<" would end the element that holds the data.
    data = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Template(_file("page.html")).substitute(
        digest=f"sha256-{digest}",
        scheme=theme or "light dark",
        title=escape(f"The training of a network, {film.described(len(film.epochs) - 1)}"),
        style=_file("page.css") + _colours(theme),
        last=len(film.epochs) - 1,
        plain="" if film.plane is not None else ' class="plain"',
        panels=_panels(film),
        table=_table(film),
        film=data.replace("<", "\\u003c"),
        script=script,
    )


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _colours(theme: str | None) -> str:
    """Return a style sheet's colours, for what is shown before the script runs and without it."""

    def of(one: Theme) -> str:
        return "".join(f"--{name}:{colour};" for name, colour in _page_colours(one).items())

    if theme is not None:
        return f":root{{{of(THEMES[theme])}}}"
    light, dark = of(THEMES["light"]), of(THEMES["dark"])
    return f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"


def _page_colours(theme: Theme) -> dict[str, str]:
    names = ("ground", "ink", "muted", "faint", "training", "validation")
    return {name: getattr(theme, name) for name in names}


def _panels(film: Film) -> str:
    """Return the elements that the script draws into, each with a description in words."""
    layers = [layer_name(layer, len(film.layers)) for layer in drawn(len(film.layers))]
    sizes = " → ".join(detail for _, detail in film.captions)
    found = [_panel("network", "", [("Weights", "")], f"The network and its weights: {sizes}")]
    plane = film.plane
    if plane is not None:
        words = [(plane.title if plane.classes else f"Prediction of {plane.title}", "")]
        words += [
            (shortened(name, _NAME), f'data-class="{index}"')
            for index, name in enumerate(plane.classes[:_MOST_NAMES])
        ]
        found.append(
            _panel("map", "", words, f"What the network predicts over {' and '.join(plane.labels)}")
        )
    loss = [("Loss", ""), ("— training", 'data-colour="training"')]
    if "validation_loss" in film.columns:
        loss.append(("— validation", 'data-colour="validation"'))
    if film.best_epoch is not None and film.best_epoch in film.row_of:
        loss.append((f"kept: epoch {film.best_epoch}", 'data-colour="muted"'))
    found.append(_panel("loss", "chart", loss, "The loss over the epochs"))
    found.append(
        _panel(
            "activations",
            "chart",
            [("Activations", ""), ("by layer", 'data-colour="muted"')],
            "Histograms of the activations of the layers",
        )
    )
    norms = [
        (name, f'data-layer="{layer}"')
        for name, layer in zip(layers, drawn(len(film.layers)), strict=True)
    ]
    found.append(
        _panel(
            "gradients",
            "chart",
            [("Gradient norm", ""), *norms],
            "The norm of the gradient of each layer's weights over the epochs",
        )
    )
    return "\n".join(found)


def _panel(name: str, kind: str, words: Sequence[tuple[str, str]], label: str) -> str:
    title, *legend = words
    spans = "".join(f" {_legend(text, attribute)}" for text, attribute in legend)
    return (
        f'<section id="{name}"{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}>'
        f"<h2>{escape(title[0])}{spans}</h2>"
        f'<canvas role="img" aria-label="{escape(label)}"></canvas></section>'
    )


def _legend(text: str, attribute: str) -> str:
    if attribute.startswith("data-class"):  # some of these colours are too light for letters
        return f'<span><b {attribute} aria-hidden="true">●</b> {escape(text)}</span>'
    return f"<span {attribute}>{escape(text)}</span>"


def _table(film: Film) -> str:
    """Return some frames' numbers as a table."""
    some = np.unique(np.linspace(0, len(film.epochs) - 1, _ROWS).astype(int))
    rows = [(film.epochs[frame], dict(film.numbers(int(frame)))) for frame in some]
    names = list(dict.fromkeys(name for _, numbers in rows for name in numbers))
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in ("epoch", *names))
    body = "".join(
        f'<tr><th scope="row">{epoch:,}</th>'
        + "".join(f"<td>{numbers.get(name, '')}</td>" for name in names)
        + "</tr>"
        for epoch, numbers in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _content(film: Film, shown: Callable[[int], None]) -> dict[str, Any]:
    """Return what the script draws."""
    count = len(film.layers)
    layers = drawn(count)
    frames = []
    places = (0, 0)
    for frame in range(len(film.epochs)):
        parts = _frame(film, film.scene(frame), layers)
        places = (len(parts[0]), len(parts[0]) + len(parts[1]))
        frames.append(np.concatenate(parts))
        shown(frame + 1)
    bytes_ = np.stack(frames)
    # Differences, modulo 256: most pixels and weights hardly change.
    changes = np.concatenate([bytes_[:1], bytes_[1:] - bytes_[:-1]])
    packed = zlib.compress(changes.tobytes(), 9)
    plane = film.plane
    return {
        "epochs": list(film.epochs),
        "texts": [
            ", ".join(f"{name} {text}" for name, text in film.numbers(frame))
            for frame in range(len(film.epochs))
        ],
        "columns": _columns(film),
        "features": _names(film.features),
        "outputs": _names(film.outputs),
        "classed": plane is not None and len(plane.classes) == film.spec.n_outputs,
        "layers": [
            {
                "index": layer,
                "name": f"{layer_name(layer, count)} · {film.layers[layer].name}",
                "low": f"{film.layers[layer].low:.3g}",
                "high": f"{film.layers[layer].high:.3g}",
            }
            for layer in layers
        ],
        "bins": len(film.scene(0).activations[0]),
        **_curves(film, layers),
        "plane": None if plane is None else _plane(plane, film.scene(0)),
        "themes": {name: _theme(one, film) for name, one in THEMES.items()},
        "size": bytes_.shape[1],
        "histograms": places[0],
        "map": places[1],
        "bytes": base64.b64encode(packed).decode("ascii"),
    }


def _names(names: Sequence[str]) -> list[str]:
    return [shortened(name, _NAME) for name in names] if len(names) <= _MOST_NAMES else []


def _columns(film: Film) -> list[dict[str, Any]]:
    found = []
    last = len(film.captions) - 1
    for index, (size, detail) in enumerate(film.captions):
        title, short = f"layer {index}", f"{index}"
        if index in (0, last):
            title, short = ("inputs", "in") if index == 0 else ("output", "out")
        found.append(
            {
                "title": title,
                "short": short,
                "detail": detail,
                "size": f"{size}",
                "slots": min(size, MOST_UNITS),
                "units": drawn_units(size),
            }
        )
    return found


def _frame(film: Film, scene: Scene, layers: Sequence[int]) -> tuple[NDArray[np.uint8], ...]:
    """Return the bytes of a frame: weights and biases, histograms, map."""
    units = [drawn_units(size) for size, _ in film.captions]
    values = [W.ravel() for W in weights_between(film.spec, scene.parameters, units)]
    values += [
        b.reshape(-1)[above]
        for b, above in zip(named_views(film.spec, scene.parameters, "b"), units[1:], strict=True)
    ]
    shares = np.clip(np.nan_to_num(np.concatenate(values)) / film.weight_scale, -1, 1)
    levels = np.round(127 * shares).astype(np.int8).view(np.uint8)
    heights = [
        np.round(255 * np.sqrt(one / max(float(one.max()), 1e-12))).astype(np.uint8)
        for one in (scene.activations[layer] for layer in layers)
    ]
    shown = np.zeros(0, np.uint8)
    if film.plane is not None and scene.outputs is not None:
        shown = _map(film.plane, scene.outputs)
    return levels, np.concatenate(heights), shown


def _map(plane: Plane, outputs: Values) -> NDArray[np.uint8]:
    if not plane.is_line:
        return banded(outputs, plane, _SIDE).astype(np.uint8).ravel()
    curves = outputs.reshape(len(outputs), -1)
    if curves.shape[1] == 2:
        curves = curves[:, 1:]
    bottom, top = plane.limits[2:]
    shares = np.clip((np.nan_to_num(curves) - bottom) / (top - bottom), 0, 1)
    return np.asarray(np.round(255 * shares), np.uint8).ravel("F")  # curve by curve


def _theme(theme: Theme, film: Film) -> dict[str, Any]:
    from matplotlib.colors import to_hex

    weights = theme.weight_colours()
    plane = film.plane
    return {
        "page": _page_colours(theme),
        "classes": list(theme.classes),
        "weights": [to_hex(weights(share)) for share in np.linspace(0, 1, 65)],
        "layers": theme.layer_colours(len(film.layers)),
        "shades": [] if plane is None else shades(plane, theme).ravel().tolist(),
        "values": value_colours(theme).ravel().tolist(),
    }


def _plane(plane: Plane, scene: Scene) -> dict[str, Any]:
    targets = plane.targets
    if not plane.classes:
        shares = np.clip((targets - plane.low) / (plane.high - plane.low), 0, 1)
        targets = np.round(15 * shares)
    count = max(1, len(plane.classes))
    columns = 0 if scene.outputs is None else len(scene.outputs)
    return {
        "labels": [shortened(label, 60) for label in plane.labels],
        "limits": [_rounded(limit) for limit in plane.limits],
        "points": [
            [_rounded(x), _rounded(y), int(target), int(held_out)]
            for (x, y), target, held_out in zip(plane.points, targets, plane.held_out, strict=True)
        ],
        "classes": len(plane.classes),
        "line": plane.is_line,
        "curves": 1 if count <= 2 else count,
        "side": columns if plane.is_line else _SIDE,
        "ticks": plane.ticks,
        "xticks": _ticks(plane.limits[0], plane.limits[1]),
        "yticks": _ticks(plane.limits[2], plane.limits[3]),
    }


def _curves(film: Film, layers: Sequence[int]) -> dict[str, Any]:
    rows = len(film.columns["epoch"])
    some = np.unique(np.linspace(0, rows - 1, min(rows, _MOST_POINTS)).astype(int))
    names = [name for name in ("loss", "validation_loss") if name in film.columns]
    losses = [np.asarray(film.columns[name], np.float64)[some] for name in names]
    norms = [film.gradient_norms[:, layer] for layer in layers]
    kept = film.best_epoch if film.best_epoch in film.row_of else None
    loss = _chart(losses, ["training", "validation"][: len(names)]) | {"kept": kept}
    return {
        "history": [int(film.columns["epoch"][row]) for row in some],
        "loss": loss,
        "gradients": _chart(norms, list(layers)) | {"kept": None},
    }


def _chart(series: Sequence[NDArray[np.float64]], colours: Sequence[Any]) -> dict[str, Any]:
    finite = np.concatenate([values[np.isfinite(values)] for values in series])
    positive = finite.size > 0 and finite.min() > 0
    logarithmic = bool(positive and finite.max() / finite.min() > LOGARITHMIC_FROM)
    if logarithmic:
        low, high = float(finite.min()) / 1.2, float(finite.max()) * 1.2
        exponents = np.arange(np.ceil(np.log10(low)), np.floor(np.log10(high)) + 1)
        some = exponents[:: max(1, -(-len(exponents) // 4))]
        ticks = [[10.0**power, f"{10.0**power:.3g}"] for power in some]
    else:
        low = min(0.0, float(finite.min(initial=0.0)))
        high = 1.08 * float(finite.max(initial=low + 1e-12))
        ticks = _ticks(low, high)
    return {
        "series": [[_rounded(v) if np.isfinite(v) else None for v in values] for values in series],
        "colours": list(colours),
        "limits": [low, high],
        "log": logarithmic,
        "ticks": ticks,
    }


def _ticks(low: float, high: float) -> list[list[Any]]:
    """Return some round numbers of a range, with their texts."""
    from matplotlib.ticker import MaxNLocator

    values = MaxNLocator(4).tick_values(low, high)
    return [[_rounded(value), f"{value:.4g}"] for value in values if low <= value <= high]


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
