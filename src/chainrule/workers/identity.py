"""On what the bits of a training depend beside its arguments; all workers must agree on it."""

from typing import Any

from chainrule.errors import WorkersError


def identity() -> dict[str, str]:
    """Return the version of chainrule and the instruction set of this process."""
    from chainrule import __version__
    from chainrule.engines.extension import native

    return {
        "chainrule": __version__,
        "instruction set": "none" if native is None else native.instruction_set(),
    }


def check_identity(own: dict[str, str], other: Any, where: str) -> None:
    """Raise if a worker would compute other bits.

    Parameters
    ----------
    own, other : dict
        Of the process that asks, and of the worker.
    where : str
        What the worker is called in the error.

    Raises
    ------
    WorkersError
    """
    for name, value in own.items():
        found = other.get(name, "none") if isinstance(other, dict) else "none"
        if found == value:
            continue
        remedy = (
            "install the same version everywhere"
            if name == "chainrule"
            else "set CHAINRULE_ISA, here and for all workers, to one that all machines have "
            "(`chainrule info` lists those of a machine)"
        )
        raise WorkersError(
            f"workers: expected workers with the same {_WHAT[name]} as here, {value}, since the "
            f"result depends on it; {where} has {found}. {remedy[0].upper()}{remedy[1:]}"
        )


_WHAT = {"chainrule": "version of chainrule", "instruction set": "instruction set"}
