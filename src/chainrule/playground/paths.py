"""Messages without the folders of this machine, for pages, which may be read by others."""

import re

# An absolute path of two parts or more, with or without a drive; where it stands in a sentence.
_PATH = re.compile(r"""(?<![^\s'"(=,;])(?:[A-Za-z]:)?[/\\](?:[^\s'"()/\\:;]+[/\\])+""")


def without_folders(text: str) -> str:
    r"""Return a message with absolute paths cut to the names of their files.

    Examples
    --------
    >>> from chainrule.playground.paths import without_folders
    >>> without_folders("/home/ada/houses.csv: cannot be read (see '/var/log/x.txt')")
    "houses.csv: cannot be read (see 'x.txt')"
    >>> without_folders(r"C:\Users\ada\houses.csv: is no table")
    'houses.csv: is no table'
    >>> without_folders("a share of 1/2, n/a, http://127.0.0.1:8765/x/y, run/model.safetensors")
    'a share of 1/2, n/a, http://127.0.0.1:8765/x/y, run/model.safetensors'
    """
    return _PATH.sub("", text)
