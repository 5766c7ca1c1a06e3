"""Communication between ranks: processes that train one network together.

A `Communicator` has their number and four calls; `mpi` returns that of MPI. Nothing here knows of
networks, engines or trainings.
"""
