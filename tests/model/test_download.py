"""A download is whole and checked, or nothing; and no server makes it large or endless."""

import hashlib
import threading
import urllib.request
from pathlib import Path

import pytest
from server import Server

from minicodec.model import download as module
from minicodec.model.download import download

BODY = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(BODY).hexdigest()[:8]


@pytest.fixture
def server():
    server = Server(BODY)
    yield server
    server.close()


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "cache" / "file.th"


def test_what_comes_is_kept(server, target):
    download(server.url + "file.th", target, SHA256)
    assert target.read_bytes() == BODY and list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("missing", "could not be downloaded .*404"),
        ("cut", "not the official file: it is cut short|could not be downloaded"),
        ("wrong", "not the official file"),
        ("liar", "not the official file"),
        ("reset", "could not be downloaded|cut short"),
        ("silent", "could not be downloaded .*timed out"),
        ("stalled", "could not be downloaded .*timed out"),
        ("endless", r"could not be downloaded \(it has more than 1000000 bytes\)"),
        ("large", r"could not be downloaded \(it has more than 1000000 bytes\)"),
        ("nonsense", "could not be downloaded|not the official file"),
        ("garbage", "could not be downloaded"),
        ("circle", "could not be downloaded .*infinite loop"),
        ("chain", "could not be downloaded .*infinite loop"),
        ("elsewhere", "could not be downloaded .*'file:///etc/passwd' is not allowed"),
    ],
)
def test_a_failure_is_one_sentence_and_leaves_nothing(server, target, mode, words, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 1_000_000)
    if mode in ("silent", "stalled"):
        monkeypatch.setattr(module, "_SILENCE", 0.3)
    server.mode = mode
    with pytest.raises(ValueError, match=words) as error:
        download(server.url, target, SHA256)
    assert server.url in str(error.value) and "\n" not in str(error.value)
    assert list(target.parent.iterdir()) == []
    assert server.requests <= 12 and server.sent < 30_000_000  # the kernel holds some of it
    monkeypatch.undo()
    server.mode = "good"
    download(server.url, target, SHA256)


def test_a_server_that_drips_is_left_at_last(server, target, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", -1.0)  # all time has passed when the first bytes come
    with pytest.raises(ValueError, match="could not be downloaded .*timed out: it takes longer"):
        download(server.url, target, SHA256)
    assert list(target.parent.iterdir()) == []


def test_no_place_to_keep_it(server, target):
    target.parent.write_text("a file")
    with pytest.raises(ValueError, match="cache cannot be made"):
        download(server.url, target, SHA256)
    assert server.requests == 0


def test_a_failed_download_keeps_what_was_there(server, target):
    target.parent.mkdir()
    target.write_bytes(b"before")
    server.mode = "wrong"
    with pytest.raises(ValueError, match="not the official file"):
        download(server.url, target, SHA256)
    assert target.read_bytes() == b"before"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/b", "data:,x", "x", "//a/b"])
def test_other_addresses_are_refused(target, url):
    with pytest.raises(ValueError, match="is no address of https"):
        download(url, target, SHA256)
    assert not target.parent.exists()


@pytest.mark.parametrize("to", ["http://a/b", "ftp://a/b", "file:///x"])
def test_from_https_no_way_leads_to_anything_else(to):
    asked = urllib.request.Request("https://a/b")
    with pytest.raises(OSError, match="it is redirected to"):
        module._Redirects().redirect_request(asked, None, 302, "", {}, to)
    there = module._Redirects().redirect_request(asked, None, 302, "", {}, "https://c/d")
    assert there.full_url == "https://c/d"


def test_several_at_once_on_one_file(server, target):
    """Each writes a part of its own, so whoever comes last puts a whole file in place."""
    errors = []

    def fetch():
        try:
            download(server.url, target, SHA256)
        except ValueError as error:
            errors.append(error)

    threads = [threading.Thread(target=fetch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and target.read_bytes() == BODY
    assert list(target.parent.iterdir()) == [target] and server.requests == 8
