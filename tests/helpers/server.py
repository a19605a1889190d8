"""A server on this machine that fails in every way that servers do."""

import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Its next answer a test chooses, with `mode`.

    Args:
        body: what is there.
    """

    def __init__(self, body: bytes):
        self.body, self.mode, self.requests, self.sent = body, "good", 0, 0
        self.wait = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 60

            def do_GET(self):
                owner.requests += 1
                answer = getattr(owner, f"_{owner.mode}", owner._good)
                answer(self)

            def log_message(self, *_):
                pass

            def handle(self):
                with suppress(OSError, ValueError):  # the client hung up, or we did
                    super().handle()

            def finish(self):
                with suppress(OSError, ValueError):
                    super().finish()

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/"

    def close(self) -> None:
        self.wait.set()
        self.http.shutdown()
        self.http.server_close()

    def _head(self, handler, length: int | None) -> None:
        handler.send_response(200)
        if length is not None:
            handler.send_header("Content-Length", str(length))
        handler.end_headers()

    def _good(self, handler) -> None:
        self._head(handler, len(self.body))
        handler.wfile.write(self.body)

    def _wrong(self, handler) -> None:
        self._head(handler, len(self.body))
        handler.wfile.write(bytes(len(self.body)))

    def _missing(self, handler) -> None:
        handler.send_error(404)

    def _cut(self, handler) -> None:
        self._head(handler, len(self.body))
        handler.wfile.write(self.body[: len(self.body) // 2])

    def _reset(self, handler) -> None:
        self._cut(handler)
        handler.wfile.flush()
        # Closing with l_linger 0 sends RST instead of FIN.
        linger = b"\1\0\0\0\0\0\0\0"
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.connection.close()

    def _silent(self, handler) -> None:
        self.wait.wait(20)

    def _stalled(self, handler) -> None:
        self._cut(handler)
        handler.wfile.flush()
        self.wait.wait(20)

    def _endless(self, handler) -> None:
        self._head(handler, None)
        while not self.wait.is_set():
            handler.wfile.write(bytes(1 << 16))
            self.sent += 1 << 16

    def _large(self, handler) -> None:
        """It says that it is, and sends little."""
        self._head(handler, 10**12)
        handler.wfile.write(self.body)

    def _liar(self, handler) -> None:
        """It says less than there is."""
        self._head(handler, len(self.body) - 1)
        handler.wfile.write(self.body)

    def _nonsense(self, handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "9" * 5000)
        handler.end_headers()

    def _garbage(self, handler) -> None:
        handler.wfile.write(b"\xff\xfe" * 1000)

    def _circle(self, handler) -> None:
        self._redirect(handler, self.url)

    def _chain(self, handler) -> None:
        self._redirect(handler, f"{self.url}{self.requests}")

    def _elsewhere(self, handler) -> None:
        self._redirect(handler, "file:///etc/passwd")

    @staticmethod
    def _redirect(handler, to: str) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
