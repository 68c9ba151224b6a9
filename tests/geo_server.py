"""A stand-in for GEO: a bounded HTTP server on 127.0.0.1 that stores files by GEO's addresses and can misbehave."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass
class Answer:
    """One answer of the server to a request for a file; what is not set is as it should be.

    Attributes
    ----------
    status
        An error instead of the file.
    headers
        Sent besides.
    cut
        Bytes after which the connection is broken off.
    length
        A lie about the length.
    body
        Other bytes than the file's.
    ranges
        Whether a request for a part is understood.
    tagged
        Whether it says which version of the file it sends (ETag).
    heedless
        Whether it sends a part whatever version the client has the rest of (some mirrors pass over If-Range).
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    length: int | None = None
    body: bytes | None = None
    ranges: bool = True
    tagged: bool = True
    heedless: bool = False


@dataclass
class Geo:
    """The server's files and what was asked of it.

    Attributes
    ----------
    files
        Path below the server's root to bytes.
    answers
        File name to its next answers; when they are used up, the file is served as it should be.
    always
        File name to the answer of every request.
    asked
        File name and Range header of each request, in order.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    always: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def put(self, accession: str, name: str, content: bytes) -> Self:
        """Store a supplementary file where GEO does."""
        sample = re.match(r"GSM\d+", name)
        owner, kind = (sample[0], "samples") if sample else (accession, "series")
        self.files[f"/{kind}/{owner[:-3]}nnn/{owner}/suppl/{name}"] = content
        return self

    def next_answer(self, name: str) -> Answer:
        waiting = self.answers.get(name)
        return waiting.pop(0) if waiting else self.always.get(name, Answer())


def _handler(geo: Geo) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rsplit("/", 1)[-1]
            geo.asked.append((name, self.headers.get("Range", "")))
            answer = geo.next_answer(name)
            if self.path not in geo.files or answer.status != 200:
                self.send_response(answer.status if answer.status != 200 else 404)
                for key, value in answer.headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self._send(geo.files[self.path] if answer.body is None else answer.body, answer)

        def _send(self, body: bytes, answer: Answer) -> None:
            asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
            tag = f'"{hash(body)}"'
            start = (
                int(asked[1])
                if asked and answer.ranges and (answer.heedless or self.headers.get("If-Range", tag) == tag)
                else 0
            )
            if start and start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            if answer.tagged:
                self.send_header("ETag", tag)
            for key, value in answer.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(answer.length if answer.length is not None else len(body) - start))
            self.end_headers()
            self.wfile.write(body[start:] if answer.cut is None else body[start : answer.cut])
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@contextmanager
def serving() -> Iterator[Geo]:
    """Run a server on a free port of this machine until the block ends."""
    geo = Geo()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(geo))
    server.daemon_threads = True
    geo.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield geo
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
