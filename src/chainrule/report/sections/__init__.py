"""The sections of a report, one a file: each a function from the subject to markup."""
