"""What a launcher of ranks tells a process by the environment, read without any MPI library."""

import os

# By Open MPI, and by launchers with the interface of MPICH (Slurm's too): size and rank.
_VARIABLES = (("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"), ("PMI_SIZE", "PMI_RANK"))

_LOCAL = ("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS")


def ranks() -> int:
    """Return how many ranks were started together; 1 if this process was started by itself."""
    return max(1, *(_number(size) for size, _ in _VARIABLES))


def launched() -> bool:
    """Return whether this process was started as one of several ranks."""
    return ranks() > 1


def follows() -> bool:
    """Return whether this process was started as another one than the first of several ranks."""
    return any(_number(size) > 1 and _number(rank) > 0 for size, rank in _VARIABLES)


def ranks_here() -> int:
    """Return how many ranks were started on this machine; 1 if none were."""
    return max(1, *(_number(variable) for variable in _LOCAL))


def _number(variable: str) -> int:
    text = os.environ.get(variable, "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0
