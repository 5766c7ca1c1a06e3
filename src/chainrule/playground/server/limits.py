"""The limits that keep a hostile or careless client from harming the process it talks to."""

MAX_CONNECTIONS = 256
"""Connections at once; one more is closed before a byte of it is read."""

MAX_PAGES = 64
"""WebSockets at once."""

MAX_MESSAGE = 2**20
"""Bytes of a message from a page."""

MAX_UPLOAD = 64 * 2**20
"""Bytes of an uploaded table."""

MAX_UPLOADS = 4
"""Uploads at once, so that they fill no disk."""

MAX_WAITING = 16
"""Requests of one page that wait for their turn; then its messages are no longer read."""

MESSAGES_PER_SECOND = 200
MESSAGES_AT_ONCE = 400
"""How many messages a page may send at this rate, and beyond it at once, before it is slowed."""

FRAMES_PER_SECOND = 36
"""The most frames of a page. It is more than the 30 epochs that a training usually has in a second,
since two clocks of the same rate would miss every other epoch."""

LOOKS_PER_SECOND = 72
"""How often a session is asked whether it has a new frame."""

FRAMES_IN_FLIGHT = 2
"""Frames that were sent to a page and not drawn by it yet."""

REST_WHEN_PLAYING, REST_WHEN_LIVE = 2, 20
"""How many times as long as a frame took to draw a page's next one is waited for: a training that
is only looked at may lose a twentieth of a core."""

SECONDS_FOR_HEAD = 10.0
"""Time in which the head of a request must have arrived."""

SECONDS_FOR_EXCHANGE = 300.0
"""Time in which a request and its response must have been transferred."""

BACKLOG = 128
"""Connections that the system keeps waiting. As many are accepted in one go, so it is far below the
usual limit of 1,024 open files."""

PIECE = 2**16
"""Bytes of a response that are handed on at a time: what a client that does not read costs."""
