"""Firefox as it is installed, driven by WebDriver BiDi, which it speaks itself.

Playwright wants a Firefox of its own making, or a newer one than Debian's. So here is the little of
the protocol that our tests need: open a page, ask it, press on it, take what it saves. As in
`browsing`, they wait for what should happen, never for a time.

Firefox keeps a sound waiting until there is a device, so it gets one: PulseAudio's null sink.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import websocket
from browsing import HANGS, unavailable

BROWSERS = ["firefox-esr", "firefox"]
PREFERENCES = {
    # A microphone that hums, and no question whether the page may hear it.
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    # For what is not on this machine there is a proxy that is not there: Firefox talks to nobody.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
}
SAYS_WHERE = re.compile(r"WebDriver BiDi listening on (ws://\S+)\n")
HEADLESS = "--headless --remote-debugging-port=0"
PULSEAUDIO = """pulseaudio -n --daemonize=no --use-pid-file=no --exit-idle-time=-1 --disable-shm=yes
    --load=module-null-sink"""
SOCKET = "--load=module-native-protocol-unix auth-anonymous=1 socket="


class Firefox:
    """One window. `problems` are the errors of its pages, `requests` what they asked for."""

    def __init__(self, address: str, downloads: Path):
        self.socket = websocket.create_connection(
            address, timeout=HANGS / 1000, suppress_origin=True
        )
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.saved: list[Path] = []
        self.number = 0
        self.send("session.new", capabilities={})
        events = ["log.entryAdded", "network.beforeRequestSent", "browsingContext.downloadEnd"]
        self.send("session.subscribe", events=events)
        kept = {"type": "allowed", "destinationFolder": str(downloads)}
        self.send("browser.setDownloadBehavior", downloadBehavior=kept)
        self.window = self.send("browsingContext.getTree")["contexts"][0]["context"]

    def send(self, method: str, **parameters) -> Any:
        """The answer to a command."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while (message := self._receive()).get("id") != self.number:
            pass
        if message["type"] == "error":
            raise RuntimeError(f"{method}: {message['message']}")
        return message["result"]

    def _receive(self) -> dict[str, Any]:
        message = json.loads(self.socket.recv())
        event, what = message.get("method"), message.get("params")
        if event == "log.entryAdded" and what["level"] == "error":
            self.problems.append(what["text"])
        elif event == "network.beforeRequestSent":
            self.requests.append(what["request"]["url"])
        elif event == "browsingContext.downloadEnd":
            self.saved.append(Path(what["filepath"]))
        return message

    def open(self, address: str) -> None:
        self.send("browsingContext.navigate", context=self.window, url=address, wait="complete")

    def evaluate(self, function: str, *arguments) -> Any:
        """What a JavaScript function gives back or promises for these arguments, both as JSON."""
        call = f"async () => JSON.stringify([await ({function})(...{json.dumps(arguments)})])"
        return json.loads(self._call(call)["value"])[0]

    def _call(self, function: str) -> dict[str, Any]:
        answer = self.send(
            "script.callFunction",
            functionDeclaration=function,
            target={"context": self.window},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return answer["result"]

    def wait(self, function: str, *arguments) -> Any:
        """The same, as soon as it is true or more than nothing; looked at frame by frame."""
        return self.evaluate(
            f"""async (...given) => {{
                const hangs = performance.now() + {HANGS / 2};
                for (;;) {{
                    const value = await ({function})(...given);
                    if (value) return value;
                    if (performance.now() > hangs) throw new Error(document.body.innerText);
                    await new Promise(requestAnimationFrame);
                }}
            }}""",
            *arguments,
        )

    def click(self, selector: str) -> None:
        """Press it with the mouse as soon as it can be pressed: sound wants a real click first."""
        find = f"document.querySelector({json.dumps(selector)})"
        self.wait(f"() => {find} && !{find}.disabled")
        self.evaluate(f"() => {find}.scrollIntoView({{ block: 'center', behavior: 'instant' }})")
        it = {"type": "element", "element": {"sharedId": self._call(f"() => {find}")["sharedId"]}}
        press = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": it},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        mouse = {"type": "pointer", "id": "mouse", "actions": press}
        self.send("input.performActions", context=self.window, actions=[mouse])

    def next_saved(self) -> Path:
        """The next file that the page saves."""
        while not self.saved:
            self._receive()
        return self.saved.pop(0)


@contextmanager
def running(command: list[str], log: Path, own: dict[str, str], ready: Callable) -> Iterator[Any]:
    """A program, from when `ready` gives something; it and its children end however this ends."""
    environment = os.environ | own
    # Also where the tests are killed and get no chance to end it.
    command = ["setpriv", "--pdeathsig", "KILL", *command]
    with log.open("w") as out:
        process = subprocess.Popen(
            command, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        hangs = time.monotonic() + HANGS / 1000
        while not (found := ready()):
            if process.poll() is not None or time.monotonic() > hangs:
                raise RuntimeError(f"{command[3]} did not start:\n{log.read_text()}")
            time.sleep(0.02)
        yield found
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def launched_firefox() -> Iterator[Firefox]:
    """Firefox without a window, with a fresh profile and a sound device that nobody hears."""
    found = [path for path in map(shutil.which, BROWSERS) if path]
    if not found:
        unavailable(f"no Firefox found; install one of {', '.join(BROWSERS)}")
    if shutil.which("pulseaudio") is None:
        unavailable("no pulseaudio found, without which Firefox plays nothing here")
    with tempfile.TemporaryDirectory(prefix="minicodec-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        downloads, socket, log = folder / "downloads", folder / "sound", folder / "firefox.log"
        downloads.mkdir()
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in PREFERENCES.items()]
        (folder / "user.js").write_text("".join(lines))
        sound = [*PULSEAUDIO.split(), f"{SOCKET}{socket}"]
        browser = [found[0], *HEADLESS.split(), "--profile", name, "about:blank"]
        # Neither its settings of other times nor this machine's sound are any of its business.
        own = {"HOME": name, "XDG_RUNTIME_DIR": name, "PULSE_SERVER": f"unix:{socket}"}
        with (
            running(sound, folder / "sound.log", own, socket.exists),
            running(browser, log, own, lambda: SAYS_WHERE.search(log.read_text())) as says,
        ):
            yield Firefox(f"{says[1]}/session", downloads)
