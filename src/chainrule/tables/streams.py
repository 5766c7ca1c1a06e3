"""The text of a file as it comes, in UTF-8 with plain line ends, for tables larger than memory."""

import codecs
import io
import zlib
from collections.abc import Iterator
from typing import IO, Any

from chainrule.errors import InvalidTableError
from chainrule.tables.sources import TableFile
from chainrule.tables.text import SAMPLE, check_no_binary, encoding_of, line_ends_of


class TextStream:
    """The bytes of a file as UTF-8 with plain line ends, read as they come."""

    def __init__(self, file: TableFile, stream: IO[bytes]) -> None:
        self.file = file
        self._stream: Any = stream
        self._ahead = b""
        start = self._decoded(SAMPLE)
        stream.seek(0)
        self.encoding = encoding_of(file, start)
        if self.encoding != "utf-8":
            start = start[: len(start) // 4 * 4].decode(self.encoding, "ignore").encode()
            self._stream = codecs.EncodedFile(stream, "utf-8", self.encoding)
        elif b"\0" in start:
            check_no_binary(file, start)
        self.line_ends = line_ends_of(start)
        self._lines = 0
        self.nuls: list[int] = []

    def read(self, size: int) -> bytes:
        """Read about so many bytes; none at the end."""
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        data = self._decoded(size)
        if self.line_ends == "\r":
            if data.endswith(b"\r"):
                data += self._decoded(1)
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        while b"\0" in data:
            line = self._lines + data.count(b"\n", 0, data.find(b"\0")) + 1
            self.nuls += line, data.count(b"\0")
            # Nothing but NUL bytes is not the end.
            data = data.replace(b"\0", b"") or self._decoded(size)
        self._lines += data.count(b"\n")
        return data

    def back(self, data: bytes) -> None:
        """Have bytes read again."""
        self._ahead = data + self._ahead

    def lines(self, encoding: str) -> Iterator[str]:
        """Yield what is left as lines, with their ends."""
        raw = io.BufferedReader(_Rest(self), 1 << 16)
        with io.TextIOWrapper(raw, encoding, "chainrule-western", newline="") as lines:
            yield from lines

    def _decoded(self, size: int) -> bytes:
        name = self.file.name
        try:
            return bytes(self._stream.read(size))
        except UnicodeError as error:
            raise InvalidTableError(
                f"{name}: begins like {self.encoding.upper()} text and is none; save it as UTF-8"
            ) from error
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidTableError(f"{name}: is a damaged gzip file ({error})") from error


class _Rest(io.RawIOBase):
    def __init__(self, stream: TextStream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        if len(data) > len(buffer):
            self._stream.back(data[len(buffer) :])
            data = data[: len(buffer)]
        buffer[: len(data)] = data
        return len(data)


def _western(error: UnicodeError) -> tuple[str, int]:
    """Return the letters of bytes that are not UTF-8 in Windows' Western alphabet."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    try:
        return wrong.decode("cp1252"), error.end
    except UnicodeDecodeError:
        return wrong.decode("latin-1"), error.end


codecs.register_error("chainrule-western", _western)
