"""The devices among which the jax engine divides the examples of a batch.

The step is one program over whole arrays, in which only the batch is told to lie divided; XLA's
partitioner derives what each device computes, and where partial sums meet. So a mean over a batch,
the statistics of batch normalisation and the units that dropout drops stay those of the whole
batch, and the equations need not know of devices, as they would have to under `shard_map`, which
leaves each sum over examples to the function that it maps.
"""

from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from chainrule.engines.jax_processes import join_processes
from chainrule.errors import InvalidArgumentError

_ROWS = "rows"

_Tree = TypeVar("_Tree")


def default_device() -> jax.Device:
    """Return JAX's default device: the user's choice, or the first."""
    chosen = jax.config.jax_default_device  # type: ignore[attr-defined]
    if isinstance(chosen, str):
        return jax.local_devices(backend=chosen)[0]
    return chosen or jax.local_devices()[0]


def mesh_of(devices: int, alone: bool) -> Mesh | None:
    """Return so many devices of each process; None for a single one.

    Parameters
    ----------
    devices : int
    alone : bool
        Whether this process trains alone, whatever mpiexec has started.

    Raises
    ------
    InvalidArgumentError
        If there are fewer devices, or the processes cannot join.
    """
    processes = 1 if alone else join_processes()
    if devices == processes == 1:
        return None
    platform = default_device().platform
    own: dict[int, list[jax.Device]] = {}
    for device in jax.devices(platform):
        own.setdefault(device.process_index, []).append(device)
    if alone:
        own = {jax.process_index(): own[jax.process_index()]}
    fewest = min(map(len, own.values()))
    if fewest < devices:
        raise InvalidArgumentError(
            f"engine: expected at most {fewest} devices, as many as JAX has here ({platform}); got "
            f"{devices}" + (_SIMULATED if platform == "cpu" else "")
        )
    chosen = [device for of_process in own.values() for device in of_process[:devices]]
    return Mesh(np.array(chosen), (_ROWS,), axis_types=(AxisType.Auto,))


_SIMULATED = (
    '. jax.config.update("jax_num_cpu_devices", n) makes n devices of a CPU before JAX is used'
)


def spans_processes(mesh: Mesh | None) -> bool:
    """Return whether some of the devices are another process's."""
    return mesh is not None and mesh.is_multi_process


def put(tree: Any, mesh: Mesh | None) -> Any:
    """Return arrays on the default device, or whole on each device of a mesh."""
    if mesh is None:
        return jax.device_put(tree)
    sharding = _over(mesh)
    if not mesh.is_multi_process:
        return jax.device_put(tree, sharding)
    own = tuple(mesh.local_mesh.devices.flat)

    def copied(leaf: Any) -> Any:
        # A number stays one: as an array, it would have a type to which others are promoted.
        if isinstance(leaf, (int, float)) or getattr(leaf, "sharding", None) == sharding:
            return leaf
        copies = [jax.device_put(leaf, device) for device in own]
        return jax.make_array_from_single_device_arrays(copies[0].shape, sharding, copies)

    return jax.tree.map(copied, tree)


def divided(rows: Any, mesh: Mesh | None) -> Any:
    """Have the rows of an array divided among the devices, in a function that JAX traces."""
    return rows if mesh is None else _placed(rows, mesh, _ROWS)


def whole(tree: _Tree, mesh: Mesh | None) -> _Tree:
    """Have arrays whole on each device, in a function that JAX traces."""
    if mesh is None:
        return tree
    placed: _Tree = jax.tree.map(lambda array: _placed(array, mesh), tree)
    return placed


def _placed(array: Any, mesh: Mesh, *axes: str) -> Any:
    return jax.lax.with_sharding_constraint(array, _over(mesh, *axes))  # type: ignore[no-untyped-call]


def _over(mesh: Mesh, *axes: str) -> NamedSharding:
    return NamedSharding(mesh, PartitionSpec(*axes))  # type: ignore[no-untyped-call]
