"""The package's front door: what `import minicodec` offers, and what it waits for."""

import subprocess
import sys

import pytest

import minicodec

NAMES = {
    "Codec", "CodecConfig", "ENCODEC_24KHZ", "ENCODEC_48KHZ", "MINI_24KHZ", "audio", "compress",
    "decompress", "diagrams", "encode_batch", "export", "faster", "listening", "load", "metrics",
    "plotting", "save", "spectral",
}  # fmt: skip


def loaded(code: str, *modules: str) -> list[str]:
    """Those of the modules that are loaded once the code has run in a fresh interpreter."""
    asked = f"\nimport sys; print(*[m for m in {modules!r} if m in sys.modules])"
    return subprocess.check_output([sys.executable, "-c", code + asked], text=True).split()


def test_names():
    assert set(minicodec.__all__) == NAMES
    assert NAMES | {"__version__", "__doc__"} <= set(dir(minicodec))
    assert all(getattr(minicodec, name) is not None for name in NAMES)
    with pytest.raises(AttributeError, match="module 'minicodec' has no attribute 'nothing'"):
        minicodec.nothing  # noqa: B018


def test_modules_can_be_imported_from_it():
    from minicodec import audio, listening, metrics, plotting, spectral

    assert audio.__name__ == "minicodec.sound.audio"
    assert plotting.__name__ == "minicodec.sound.plotting"
    assert listening.__name__ == "minicodec.listening"
    assert metrics.si_sdr and spectral.stft


def test_importing_the_package_waits_for_nothing():
    assert loaded("import minicodec; minicodec.__version__", "torch", "numpy", "soundfile") == []


def test_its_names_do_not_bring_what_only_drawing_or_the_book_needs():
    """A student waits for them, and Colab lacks what only the book needs."""
    heavy = ("matplotlib", "pandas", "IPython", "ipywidgets", "scipy", "torchaudio", "librosa",
             "encodec", "transformers")  # fmt: skip
    names = [f"minicodec.{name}" for name in sorted(NAMES - {"plotting", "listening"})]
    assert loaded(f"import minicodec; {'; '.join(names)}", "torch", *heavy) == ["torch"]
