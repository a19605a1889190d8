"""Pictures are drawn for every kind of clip, with the right axes."""

import html
import io
import json
import os

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from minicodec import plotting

RATE = 24000


@pytest.fixture(autouse=True)
def _no_window():
    before = matplotlib.get_backend()
    plt.switch_backend("Agg")
    with matplotlib.rc_context():
        yield
    plt.close("all")
    plt.switch_backend(before)


CLIPS = {
    "mono": torch.randn(1, 1, 6000),
    "stereo": torch.randn(2, 6000),
    "bare": torch.randn(6000),
    "one sample": torch.zeros(1, 1, 1),
    "short": torch.randn(1, 100).half(),
    "with gradient": torch.randn(1, 1, 6000, requires_grad=True),
}


@pytest.mark.parametrize("clip", CLIPS.values(), ids=CLIPS)
def test_waveform(clip):
    ax = plotting.waveform(clip, RATE, label="x")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "amplitude")
    (line,) = ax.get_lines()
    first = clip.detach().float().reshape(-1, clip.shape[-1])[0]
    np.testing.assert_array_equal(line.get_ydata(), first.numpy())
    assert line.get_xdata()[-1] == (clip.shape[-1] - 1) / RATE
    ax.figure.canvas.draw()


@pytest.mark.parametrize("n_mels", [128, 40, None])
@pytest.mark.parametrize("clip", CLIPS.values(), ids=CLIPS)
def test_spectrogram(clip, n_mels):
    ax = plotting.spectrogram(clip, RATE, n_mels=n_mels, title="A title")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "frequency (Hz)")
    assert ax.get_title() == "A title"
    (image,) = ax.get_images()
    assert image.get_array().shape[0] == (n_mels or 513)
    assert image.get_clim() == (-80, 20) and image.get_extent()[1] == clip.shape[-1] / RATE
    ax.figure.canvas.draw()


def test_a_tone_is_drawn_at_its_frequency():
    tone = torch.sin(2 * torch.pi * 2000 * torch.arange(RATE) / RATE)
    for n_mels in (128, None):
        ax = plotting.spectrogram(tone, RATE, n_mels=n_mels)
        (image,) = ax.get_images()
        row = int(np.asarray(image.get_array()).mean(1).argmax())
        top = image.get_extent()[3]
        height = (row + 0.5) / image.get_array().shape[0] * top
        labels = [text.get_text() for text in ax.get_yticklabels()]
        ticks = dict(zip(labels, ax.get_yticks()))
        assert abs(height - ticks["2000"]) < 0.02 * top


def test_several_spectrograms():
    figure = plotting.spectrograms({"one": CLIPS["mono"], "two": CLIPS["stereo"]}, RATE)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == ["one", "two"]
    figure.canvas.draw()


@pytest.mark.parametrize("count", [1, 3, 9])
@pytest.mark.parametrize("log_x", [True, False])
def test_every_curve_is_drawn(count, log_x):
    ys = {f"curve {i}": [i, i + 1, i + 2] for i in range(count)}
    ax = plotting.curve([1.5, 3, 6], ys, xlabel="kbps", ylabel="dB", log_x=log_x)
    assert [line.get_label() for line in ax.get_lines()] == list(ys)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("kbps", "dB")
    assert (ax.get_legend() is None) == (count == 1)
    if log_x:
        assert [text.get_text() for text in ax.get_xticklabels()] == ["1.5", "3", "6"]
    ax.figure.canvas.draw()


FORMULAS = [r"$\frac$", "$_$", "$5 or $6", "_first", "a_b^c", r"\$ and $", "%{}&<b>"]


@pytest.mark.parametrize("label", FORMULAS)
def test_labels_are_drawn_as_they_are(label):
    """Not as formulas: two dollars in a file's name would make one, which may not even be one."""
    clip, drawn = CLIPS["mono"], io.StringIO()
    plotting.spectrograms({label: clip}, RATE)
    plotting.curve([1, 2], {label: [1, 2], "other": [2, 1]}, xlabel="x", ylabel="y")
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        for number in plt.get_fignums():
            plt.figure(number).savefig(drawn, format="svg")
    assert drawn.getvalue().count(f">{html.escape(label, quote=False)}</text>") == 2
    if not label.startswith("_"):  # which matplotlib takes for "no label"
        waveform = plotting.waveform(clip, RATE, label=label)
        waveform.legend()
        waveform.figure.savefig(drawn, format="svg")


def test_a_name_in_another_encoding_is_drawn():
    figure = plotting.spectrograms({os.fsdecode(b"caf\xe9"): CLIPS["mono"]}, RATE)
    assert figure.axes[0].get_title() == r"caf\xe9"
    figure.canvas.draw()


def test_style_and_a_given_place():
    plotting.use_style()
    assert plt.rcParams["figure.facecolor"] == "none"
    ax = plt.subplots()[1]
    assert plotting.waveform(CLIPS["mono"], RATE, ax) is ax
    assert len(plt.get_fignums()) == 1


def test_learning_curves_draw_what_a_run_wrote(tmp_path):
    rows = [{"step": 50, "minutes": 1.0, "mel": 1.2}, {"step": 100, "minutes": 2.0, "mel": 0.9},
            {"step": 100, "minutes": 2.0, "mel_12": 8.0, "mel_6": 9.0, "sdr_6": 1.0}]  # fmt: skip
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    losses, mels, sdrs = plotting.learning_curves(path, over="step").axes
    assert losses.lines[0].get_xydata().tolist() == [[50, 1.2], [100, 0.9]]
    assert [line.get_label() for line in mels.lines] == ["6 kbps", "12 kbps"]
    assert sdrs.lines[0].get_xydata().tolist() == [[100, 1.0]]
    with pytest.raises(ValueError, match="no line with 'hours'"):
        plotting.learning_curves(path, over="hours")
    with pytest.raises(ValueError, match="no such file"):
        plotting.learning_curves(tmp_path / "none")
