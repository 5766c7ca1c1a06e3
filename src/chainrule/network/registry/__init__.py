"""One row for each activation, cost and initialiser, which says all there is to say of it.

Parsing, checks, error messages, help texts, exports, the estimators' losses, the documentation and
the tests read the rows; nothing else lists these names.
"""
