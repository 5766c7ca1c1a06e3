"""The registry: one row with all metadata for each activation, cost and initialiser.

Parsing, checks, error messages, help texts, exports, the estimators' losses, the documentation and
the tests all read these rows; the names are not listed anywhere else.
"""
