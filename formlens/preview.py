"""What the camera sees and says goes in; a page for a browser on the same machine comes out, and nothing for any other.

Served on the loopback address only, and only to who asks for it by that name: a page of a stranger that a browser on
this machine has open does not get at the picture by giving its own name to that address.
"""

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from formlens.frames import Frame
from formlens.types import Image
from formlens.watching import READ, Look

PAGE = Path(__file__).with_name("preview.html")
ROWS = 12
"""Pages that are listed."""
_SIDE = 960
_GOOD, _LACKING = (90, 190, 60), (60, 140, 240)


class Preview:
    """The preview of one camera, on ``http://127.0.0.1:<port>/``; port 0 takes any that is free."""

    def __init__(self, port: int = 8080) -> None:
        self._seen: tuple[Frame | None, Look] = None, Look("starting")
        self._pages: deque[dict[str, Any]] = deque(maxlen=ROWS)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True, name="preview").start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def show(self, frame: Frame | None, look: Look) -> None:
        """The newest frame, and what came of it; no frame: the last one still."""
        self._seen = frame or self._seen[0], look

    def add(self, page: dict[str, Any]) -> None:
        """A page that is kept, in the shape of the cells JSON."""
        self._pages.appendleft(page)

    def state(self) -> dict[str, Any]:
        """What the browser asks for again and again."""
        return {"hint": self._seen[1].hint, "good": self._seen[1].hint == READ, "pages": list(self._pages)}

    def picture(self) -> bytes:
        """The newest frame as JPEG, with the outline of the sheet; decoded when asked for, and not for each frame."""
        frame, look = self._seen
        found = frame.small(_SIDE) if frame else None
        small, magnify = found or (np.full((540, _SIDE, 3), 60, np.uint8), 1.0)
        if look.corners is not None:
            outline(small, look.corners / magnify, _GOOD if look.hint == READ else _LACKING)
        return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


def outline(image: Image, corners: np.ndarray[Any, Any], colour: tuple[int, int, int]) -> None:
    """Draw where the sheet lies."""
    cv2.polylines(image, [np.round(corners * 8).astype(np.int32)], True, colour, 4, cv2.LINE_AA, 3)


def _handler(preview: Preview) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            port = preview.port
            if self.headers.get("Host") not in (f"127.0.0.1:{port}", f"localhost:{port}"):
                self.send_error(403, "only on this machine")
            elif self.path == "/":
                self._answer("text/html; charset=utf-8", PAGE.read_bytes())
            elif self.path == "/state":
                self._answer("application/json", json.dumps(preview.state()).encode())
            elif self.path.partition("?")[0] == "/frame.jpg":
                self._answer("image/jpeg", preview.picture())
            else:
                self.send_error(404)

        def _answer(self, kind: str, data: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Security-Policy", "default-src 'self' 'unsafe-inline'; frame-ancestors 'none'")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
