"""Support of `rivals.py`: each codec in a process of its own, as short as a user would write it.

What comes from files there comes from files here: ours and ONNX Runtime's graphs, the official
package's state dict, transformers' folder. Mimi, DAC and SNAC make random weights where a user
would load some. Every program reads one clip, codes and decodes it, and says how much memory it has
taken at most.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rival_codecs import RATE, large, large_up_to_six, official, small
from speed import long_clip
from tqdm import tqdm

from minicodec.model.checkpoint import save_codec
from minicodec.model.export import export
from minicodec.model.onnx_export import export_onnx

_TORCH = """
import sys, numpy, torch
torch.set_num_threads(1)
torch.set_grad_enabled(False)
folder, clip = sys.argv[1], torch.from_numpy(numpy.load(sys.argv[2]))
"""
_OURS = (
    _TORCH
    + """
import minicodec
codec = minicodec.load(folder + "/{file}.safetensors")
codec.decode(codec.encode(clip, 6.0))
"""
)
_GRAPHS = """
import sys, numpy
sys.path.append(sys.argv[1])
from onnx_step import Step
clip, outputs = numpy.load(sys.argv[2]), []
encoder = Step(sys.argv[1] + "/{file}_encoder.onnx")
decoder = Step(sys.argv[1] + "/{file}_decoder.onnx")
there = here = None
for start in range(0, clip.shape[-1], 24000):
    codes, there = encoder(clip[..., start : start + 24000], there)
    audio, here = decoder(codes, here)
    outputs.append(audio)
"""
PROGRAMS = {
    "minicodec": _OURS.format(file="large"),
    "encodec": _TORCH + """
from encodec import EncodecModel
model = EncodecModel.encodec_model_24khz(pretrained=False).eval()
model.load_state_dict(torch.load(folder + "/official.th"))
model.set_target_bandwidth(6.0)
model.decode(model.encode(clip))
""",
    "transformers": _TORCH + """
from transformers import EncodecModel
model = EncodecModel.from_pretrained(folder + "/transformers").eval()
model.decode(model.encode(clip, bandwidth=6.0).audio_codes, [None])
""",
    "ONNX Runtime": _GRAPHS.format(file="large"),
    "minicodec, mini": _TORCH + """
import minicodec
codec = minicodec.load("mini_24khz")
codec.decode(codec.encode(clip, 6.0))
""",
    "ONNX Runtime, mini": _GRAPHS.format(file="mini"),
    "Mimi": _TORCH + """
from transformers import MimiConfig, MimiModel
model = MimiModel(MimiConfig()).eval()
model.decode(model.encode(clip, num_quantizers=8).audio_codes)
""",
    "DAC": _TORCH + """
from dac import DAC
model = DAC(encoder_rates=[2, 4, 5, 8], decoder_rates=[8, 5, 4, 2], n_codebooks=32,
            sample_rate=24000).eval()
codes = model.encode(model.preprocess(clip, 24000), 8)[1]
model.decode(model.quantizer.from_codes(codes)[0])
""",
    "SNAC": _TORCH + """
from snac import SNAC
model = SNAC(sampling_rate=24000, encoder_dim=48, encoder_rates=[2, 4, 8, 8], decoder_dim=1024,
             decoder_rates=[8, 8, 4, 2], attn_window_size=None, vq_strides=[4, 2, 1]).eval()
model.decode(model.encode(clip))
""",
}  # fmt: skip
#: The largest part of memory that was ever in RAM, from Linux's own account, in MB.
_MEMORY = """
with open("/proc/self/status") as file:
    print(next(int(line.split()[1]) / 1000 for line in file if line.startswith("VmHWM")))
"""


def of_processes(
    names: list[str], lengths: list[float], pace: dict[str, float], longest: float, repeats: int
) -> list[dict[str, Any]]:
    """Rows: seconds until the first second of sound has been coded and decoded, and memory.

    Args:
        pace: seconds per second of sound of the slower way; a clip that would take longer than
            `longest` is left out.
    """
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        for name in tqdm([n for n in names if n in PROGRAMS], desc="processes", unit="codec"):
            starts = [run(name, folder, 1)["seconds"] for _ in range(repeats)]
            row = {"codec": name, "start_s": round(statistics.median(starts), 2),
                   "spread": [round(min(starts), 2), round(max(starts), 2)]}  # fmt: skip
            for seconds in lengths:
                if pace.get(name, 0) * seconds <= longest:
                    row[f"mb_{seconds:g}_s"] = round(run(name, folder, seconds)["mb"])
            rows.append(row)
            print(row)
    return rows


def prepare(folder: Path) -> None:
    """The files that programs load."""
    save_codec(large(), folder / "large.safetensors")
    torch.save(official().state_dict(), folder / "official.th")
    export(large(), folder / "transformers")
    for name, codec in (("large", large_up_to_six()), ("mini", small())):
        save_codec(codec, folder / "step.safetensors")
        export_onnx(folder / "step.safetensors", folder, name)
    (folder / "onnx_step.py").write_text(Path(__file__).with_name("onnx_step.py").read_text())


def run(name: str, folder: str, seconds: float) -> dict[str, float]:
    """One process: how long it took, and its peak memory in MB."""
    clip = Path(folder) / f"{seconds:g}.npy"
    if not clip.is_file():
        whole = round(seconds * RATE) // 320 * 320
        np.save(clip, long_clip(seconds)[..., :whole].numpy())
    command = [sys.executable, "-c", PROGRAMS[name] + _MEMORY, folder, str(clip)]
    begin = time.perf_counter()
    done = subprocess.run(
        command,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    return {"seconds": time.perf_counter() - begin, "mb": float(done.stdout.split()[-1])}
