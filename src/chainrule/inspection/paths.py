"""Integrated gradients (AT3) on the straight paths from several references to one example.

A quadrature converges fast where the gradient is smooth, but the gradient of a network with ReLUs
jumps wherever a unit starts or stops being active, and that of one with bins (PL1) wherever an
input comes into another bin. So each path is first cut at these places, which A[l−1] and Z[l] show,
layer by layer. The integral of each piece is then compared with the difference of f between its
ends, which is the exact integral of the gradient along the path: pieces where they disagree are
halved.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.equations.attribution import integrated_gradients, way_from_reference
from chainrule.inspection.output import Output

Floats64 = NDArray[np.float64]

# A rule of 2 points integrates polynomials of degree 3 exactly, and pieces are short.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(2)
_PIECES = 16
_USUAL_PIECES = 256
# Of the largest difference of f on a path: pieces with a larger error are halved.
_TOLERANCE = 1e-8
# Differences of f are no more exact than its largest value is, or than normal numbers are.
_ROUNDING = 16 * np.finfo(np.float64).eps
_SMALLEST = float(np.finfo(np.float64).tiny)
_MOST_HALVINGS = 30
# Numbers of the largest array, and multiplications of all passes together: seconds of work.
_BLOCK = 1 << 18
_MOST_WORK = 1e11


class _Pieces(NamedTuple):
    """Pieces of paths, from `low` to `high` on the path with this index."""

    path: NDArray[np.intp]
    low: Floats64
    high: Floats64

    @property
    def length(self) -> Floats64:
        return self.high - self.low

    def halves(self, chosen: NDArray[np.bool_]) -> "_Pieces":
        path, low, high = self.path[chosen], self.low[chosen], self.high[chosen]
        middle = (low + high) / 2
        return _Pieces(
            np.repeat(path, 2),
            np.stack([low, middle], axis=1).ravel(),
            np.stack([middle, high], axis=1).ravel(),
        )


def path_integrals(f: Output, X: Floats64, references: Floats64) -> Floats64:
    """Return AT3 for each reference, (n, k).

    Parameters
    ----------
    f : Output
    X : array (n, 1)
        The example.
    references : array (n, k)
    """
    k = references.shape[1]
    size = sum(block.size for blocks in f.theta for block in blocks)
    # A gradient takes a forward and a backward pass.
    most = max(_PIECES, int(_MOST_WORK / (2 * len(_NODES) * max(1, size) * k)))
    per_block = max(1, _BLOCK // (max(f.spec.sizes) * min(most, _USUAL_PIECES)))
    return np.hstack(
        [
            _integrals(f, X, references[:, start : start + per_block], most)
            for start in range(0, k, per_block)
        ]
    )


def _integrals(f: Output, X: Floats64, references: Floats64, most: int) -> Floats64:
    """Return AT3 for some references, with at most about `most` pieces a path."""
    R = np.zeros_like(references)
    pieces = _cut(f, X, references, most)
    left = most * references.shape[1] - len(pieces.path)
    ends = f.values(np.hstack([X, references]))
    allowed = max(
        _TOLERANCE * float(np.abs(ends[1:] - ends[0]).max()),
        _ROUNDING * float(np.abs(ends).max()),
        _SMALLEST,
    )
    for halving in range(_MOST_HALVINGS + 1):
        mean_grad, errors = _integrated(f, X, references, pieces)
        wrong = errors > allowed
        left -= 2 * int(wrong.sum())
        if halving == _MOST_HALVINGS or left < 0:
            wrong[:] = False
        for path in range(references.shape[1]):
            own = (pieces.path == path) & ~wrong
            R[:, [path]] += integrated_gradients(
                X, references[:, [path]], mean_grad[:, own], pieces.length[own]
            )
        if not wrong.any():
            break
        pieces = pieces.halves(wrong)
    return R


def _integrated(
    f: Output, X: Floats64, references: Floats64, pieces: _Pieces
) -> tuple[Floats64, Floats64]:
    """Return the mean gradient on each piece, (n, pieces), and its error along the path."""
    starts = references[:, pieces.path]
    mean_grad = np.zeros_like(starts)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        t = pieces.low + (node + 1) / 2 * pieces.length
        mean_grad += weight / 2 * f.gradient(way_from_reference(X, starts, t))
    low, high = (f.values(way_from_reference(X, starts, t)) for t in pieces[1:])
    along = (mean_grad * (X - starts)).sum(axis=0) * pieces.length
    return mean_grad, np.abs(high - low - along)


def _cut(f: Output, X: Floats64, references: Floats64, most: int) -> _Pieces:
    """Return the pieces of the paths, cut evenly and at the kinks of layers and activations."""
    k = references.shape[1]
    path, t = _even(k, _PIECES)
    for depth, (layer, sigma) in enumerate(zip(f.spec.layers, f.spec.activations, strict=True)):
        if not layer.kinks and not sigma.kinks:
            continue
        A = way_from_reference(X, references[:, path], t)
        for below, blocks in zip(f.spec.layers[:depth], f.theta[:depth], strict=True):
            A = below.forward(blocks, A).A
        found = []
        if layer.kinks:
            units, places = zip(*layer.kinks, strict=True)
            found.append(_crossings(A[list(units)] - np.array(places)[:, None], path, t))
        if sigma.kinks:
            Z = layer.forward(f.theta[depth], A).Z
            found += [_crossings(Z - kink, path, t) for kink in sigma.kinks]
        path = np.concatenate([path, *(paths for paths, _ in found)])
        t = np.concatenate([t, *(places for _, places in found)])
        if len(t) > (most + 1) * k:
            path, t = _even(k, most)
            break
        order = np.lexsort((t, path))
        path, t = path[order], t[order]
    within = (path[1:] == path[:-1]) & (t[1:] > t[:-1])
    return _Pieces(path[1:][within], t[:-1][within], t[1:][within])


def _even(k: int, pieces: int) -> tuple[NDArray[np.intp], Floats64]:
    """Return the ends of equal pieces of k paths: path by path, in order."""
    ends = np.linspace(0, 1, pieces + 1)
    return np.repeat(np.arange(k), len(ends)), np.tile(ends, k)


def _crossings(
    Z: Floats64, path: NDArray[np.intp], t: Floats64
) -> tuple[NDArray[np.intp], Floats64]:
    """Return the paths and places at which units change sign, by linear interpolation."""
    changes = (Z[:, :-1] * Z[:, 1:] < 0) & (path[:-1] == path[1:])
    unit, place = np.nonzero(changes)
    before, after = Z[unit, place], Z[unit, place + 1]
    share = before / (before - after)
    return path[place], t[place] + share * (t[place + 1] - t[place])
