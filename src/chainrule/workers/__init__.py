"""Where work runs that shares no gradient: members of an ensemble, trials of a search.

`choice` reads what a user asks for; `processes` and `cluster` are the two places beside the threads
of this process. Both offer the same session (`base`), which knows nothing of networks.
"""
