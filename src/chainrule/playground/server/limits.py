"""The limits that keep a hostile or careless client from harming the process it talks to."""

MAX_CONNECTIONS = 256
"""Largest number of connections; one more is closed before a byte of it is read."""

MAX_PAGES = 64
"""Largest number of WebSockets at the same time."""

MAX_MESSAGE = 2**20
"""Largest size of a message from a page, in bytes."""

MAX_UPLOAD = 64 * 2**20
"""Largest size of an uploaded table, in bytes."""

MAX_UPLOADS = 4
"""Largest number of uploads at the same time, so that they cannot fill the disk."""

MAX_WAITING = 16
"""Requests of one page that wait for their turn; then its messages are no longer read."""

MESSAGES_PER_SECOND = 200
MESSAGES_AT_ONCE = 400
"""Rate of a page's messages, and how many it may send at once, before they are read more slowly."""

FRAMES_PER_SECOND = 36
"""Largest rate of frames. It is above the default speed of 30 epochs per second, since two clocks
of the same rate would miss every other epoch."""

LOOKS_PER_SECOND = 72
"""How often a session is asked whether it has a new frame."""

FRAMES_IN_FLIGHT = 2
"""Largest number of frames that were sent to a page but not drawn yet."""

REST_WHEN_PLAYING, REST_WHEN_LIVE = 2, 20
"""Pause after a frame, as a multiple of the time that it took: the frames of a live training may
take a twentieth of a core."""

SECONDS_FOR_HEAD = 10.0
"""Time in which the head of a request must have arrived."""

SECONDS_FOR_EXCHANGE = 300.0
"""Time in which a request and its response must have been transferred."""

BACKLOG = 128
"""Connections that wait to be accepted. They are accepted together, so this is far below the
usual limit of 1,024 open files."""

PIECE = 2**16
"""Bytes of a response that are sent at a time: the memory that an unread response takes."""
