"""Train `mini_24khz` on a folder of recordings, on one CPU core or a GPU, in the time you give it.

    python tools/train_mini.py --data path/to/recordings --valid path/to/others --minutes 120

A plain recipe: time and mel losses, balanced by the size of their gradients; no discriminator.
Killed at any moment, it goes on from the last checkpoint when started again. `--export FILE` turns
a run's last checkpoint into a codec that `minicodec.load` reads.
"""

import argparse
import json
import math
import random
import time
from pathlib import Path
from typing import cast

import numpy as np
import soundfile
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save
from torch import Tensor
from tqdm import tqdm

from minicodec.model.checkpoint import save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import MINI_24KHZ
from minicodec.model.quantize import Codebook
from minicodec.sound.metrics import mel_distance, si_sdr
from minicodec.training.losses import log_mel_loss

RATE = MINI_24KHZ.sample_rate
#: Share of each class in a batch. Speech is two thirds of the minutes; music needs more.
CLASSES = {"speech": 0.45, "instruments": 0.15, "music_rendered": 0.12, "music_tracks": 0.15,
           "sounds": 0.13}  # fmt: skip
LEARNING_RATE = 5e-4  # at the start; it falls to 2 % along a cosine
WARM_UP = 300  # steps without the quantizer, so that k-means meets latents that mean something


#: Whose recordings it learned from; the model card says more.
DATA = (
    "LibriSpeech (c) 2014 Vassil Panayotov, CC BY 4.0; VCTK, J. Yamagishi, C. Veaux, K. MacDonald, "
    "University of Edinburgh, CC BY 4.0; LibriVox, public domain; kerstin voice, CC0; "
    "davinfifield/mp3-chinese-pinyin-sound, Unlicense; Picovoice Inc., Apache-2.0; vocobox, MIT; "
    "Splendid Grand Piano, public domain; Greg Sullivan, CC BY 3.0; Karoryfer and Versilian, CC0; "
    "Kevin MacLeod, Rafael Krux, Jason Shaw, CC BY 4.0; HorrorPen, CC BY 3.0; TAD, Tarush Singhal, "
    "Martijn van Beurden, CC0; Freedoom contributors, BSD-3-Clause; ESC-10, K. J. Piczak and "
    "Freesound authors, CC BY 3.0 and CC0; OLPC and Berklee, CC BY 3.0; Sonic Pi, CC0"
)


class Recordings:
    """All files of a folder in memory as 16-bit samples; draws crops with random gain and mixes."""

    def __init__(self, folder: Path, seed: int):
        self.random = random.Random(seed)
        self.clips: dict[str, list[np.ndarray]] = {}
        files = sorted(p for p in folder.rglob("*") if p.suffix in (".flac", ".ogg", ".opus"))
        for path in tqdm(files, desc="reading", unit="file"):
            samples, rate = soundfile.read(path, dtype="int16")
            if rate != RATE or len(samples) <= RATE:
                print(f"skipped {path}: {rate} Hz, {len(samples)} samples")
                continue
            self.clips.setdefault(path.relative_to(folder).parts[0], []).append(samples)

    def crop(self) -> Tensor:
        kinds = [kind for kind in CLASSES if kind in self.clips]
        kind = self.random.choices(kinds, [CLASSES[k] for k in kinds])[0]
        clips = self.clips[kind]
        samples = self.random.choices(clips, [len(c) for c in clips])[0]
        start = self.random.randrange(len(samples) - RATE)
        return torch.from_numpy(samples[start : start + RATE].astype(np.float32) / 32768)

    def batch(self, size: int) -> Tensor:
        clips = []
        for _ in range(size):
            clip = self.crop()
            if self.random.random() < 0.2:
                clip = clip + self.crop() * 10 ** (self.random.uniform(-10, 0) / 20)
            # The recordings lie near -28 dBFS: this spreads them from -36 to -12.
            clip = clip * 10 ** (self.random.uniform(-8, 16) / 20)
            clips.append(clip / max(1.0, float(clip.abs().max()) / 0.99))
        return torch.stack(clips)[:, None]


class Run:
    """Model, optimizer and clock of one training run, kept in one safetensors file."""

    def __init__(self, folder: Path, device: str):
        self.folder, self.device = folder, device
        self.codec = Codec(MINI_24KHZ, "mini_24khz").to(device).train()
        self.optimizer = torch.optim.Adam(self.codec.parameters(), LEARNING_RATE, (0.8, 0.99))
        self.step, self.minutes, self.audio_hours = 0, 0.0, 0.0
        self.norms = {"time": 0.0, "mel": 0.0}
        if self.state_file.is_file():
            self.load()

    @property
    def state_file(self) -> Path:
        return self.folder / "state.safetensors"

    def save(self) -> None:
        tensors = {f"codec.{k}": v for k, v in self.codec.state_dict().items()}
        for i, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{i}.{k}": v for k, v in state.items()}
        clock = {k: getattr(self, k) for k in ("step", "minutes", "audio_hours", "norms")}
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.state_file.with_suffix(".part")
        part.write_bytes(save({k: v.cpu().contiguous() for k, v in tensors.items()},
                              {"clock": json.dumps(clock)}))  # fmt: skip
        part.replace(self.state_file)

    def load(self) -> None:
        from safetensors import safe_open

        tensors = load_file(self.state_file)
        self.codec.load_state_dict(
            {k[6:]: v for k, v in tensors.items() if k.startswith("codec.")})  # fmt: skip
        state: dict[int, dict[str, Tensor]] = {}
        for name in (k for k in tensors if k.startswith("adam.")):
            _, index, key = name.split(".")
            state.setdefault(int(index), {})[key] = tensors[name]
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        with safe_open(self.state_file, "pt") as file:
            for key, value in json.loads(file.metadata()["clock"]).items():
                setattr(self, key, value)
        print(f"resumed at step {self.step}, minute {self.minutes:.1f}")

    def train_step(self, audio: Tensor) -> dict[str, float]:
        bandwidth = random.Random(self.step).choice(MINI_24KHZ.bandwidths)
        if self.step < WARM_UP:
            output = self.codec.decoder(self.codec.encoder(audio))
            commitment = output.new_zeros(())
        else:
            output, _, commitment = self.codec(audio, bandwidth)
        losses = {"time": F.l1_loss(output, audio), "mel": log_mel_loss(output, audio, RATE)}
        gradient = torch.zeros_like(output)
        for (name, loss), share in zip(losses.items(), (0.03, 0.97), strict=True):
            (part,) = torch.autograd.grad(loss, output, retain_graph=True)
            norm = float(part.flatten(1).norm(dim=1).mean())
            old = self.norms[name] or norm
            self.norms[name] = 0.99 * old + 0.01 * norm
            gradient += share * part / (self.norms[name] + 1e-12)
        self.optimizer.zero_grad()
        # One backward pass; the commitment stays outside the balance, as in the paper.
        (output * gradient).sum().add(commitment).backward()
        torch.nn.utils.clip_grad_norm_(self.codec.parameters(), 10.0)
        self.optimizer.step()
        self.step += 1
        self.audio_hours += len(audio) / 3600
        return {k: float(v) for k, v in losses.items()} | {"commitment": float(commitment)}

    @torch.no_grad()
    def start_codebooks(self, recordings: Recordings, batch: int) -> None:
        self.codec.encoder.eval()
        latents = torch.cat([self.codec.encoder(recordings.batch(16).to(self.device))
                             for _ in tqdm(range(16), desc="k-means")], dim=0)  # fmt: skip
        residual = latents.transpose(1, 2).reshape(-1, MINI_24KHZ.dimension)
        for module in tqdm(self.codec.quantizer.codebooks, desc="codebooks"):
            book = cast(Codebook, module)
            book.initialize(residual)
            book.counts.mul_(MINI_24KHZ.frame_rate * batch / len(residual)).clamp_(min=1e-3)
            book.sums.copy_(book.embedding * book.counts[:, None])
            residual = residual - book.decode(book.encode(residual))
        self.codec.encoder.train()

    @torch.no_grad()
    def count_codes(self, recordings: Recordings) -> None:
        """How often each code is chosen in all recordings: what the histogram begins with."""
        self.codec.eval()
        totals = torch.zeros(MINI_24KHZ.max_n_q, MINI_24KHZ.codebook_size)
        clips = [clip for kind in recordings.clips.values() for clip in kind]
        for samples in tqdm(clips, desc="counting codes"):
            # Three times louder, as in the middle of the range of levels that training draws.
            audio = torch.from_numpy(samples.astype(np.float32) / 32768 * 3).clamp(-1, 1)
            codes = self.codec.encode(audio.view(1, 1, -1))[0]
            totals += torch.stack([torch.bincount(k, minlength=totals.shape[1]) for k in codes])
        for module, counts in zip(self.codec.quantizer.codebooks, totals):
            cast(Codebook, module).counts.copy_(counts)

    @torch.no_grad()
    def validate(self, clips: list[Tensor]) -> dict[str, float]:
        self.codec.eval()
        result = {}
        for bandwidth in MINI_24KHZ.bandwidths:
            pairs = [(c, self.codec.decode(self.codec.encode(c, bandwidth), length=c.shape[-1]))
                     for c in (clip.to(self.device) for clip in clips)]  # fmt: skip
            result[f"mel_{bandwidth:g}"] = np.mean(
                [float(mel_distance(y, x, RATE)) for x, y in pairs]
            )
            result[f"sdr_{bandwidth:g}"] = np.mean([float(si_sdr(y, x)) for x, y in pairs])
        self.codec.train()
        return {k: round(float(v), 3) for k, v in result.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of 24 kHz recordings to learn from")
    parser.add_argument("--valid", type=Path, help="folder of other recordings to measure on")
    parser.add_argument("--out", type=Path, default=Path("runs/mini"), help="folder of the run")
    parser.add_argument("--minutes", type=float, default=60, help="of training, restarts included")
    parser.add_argument("--since", type=float, default=0, help="minute at which to begin anew")
    parser.add_argument("--batch", type=int, default=8, help="clips of one second per step")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--export", type=Path, help="write the codec here and stop")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)  # silence decays into denormals, which are many times slower
    torch.manual_seed(0)
    run = Run(args.out, "cuda" if torch.cuda.is_available() else "cpu")
    if args.export:
        if args.data:
            run.count_codes(Recordings(args.data, seed=0))
        facts = {"step": run.step, "minutes": run.minutes, "audio_hours": run.audio_hours,
                 "losses": "time L1, log-mel at six windows; no discriminator",
                 "licence": "MIT", "data": DATA}  # fmt: skip
        save_codec(run.codec, args.export, facts, half=True)
        print(f"{args.export}: step {run.step}, {args.export.stat().st_size / 1e6:.1f} MB")
        return
    valid = []
    for path in sorted(args.valid.rglob("*.flac")) + sorted(args.valid.rglob("*.ogg")):
        samples = soundfile.read(path, dtype="float32", frames=3 * RATE)[0]
        valid.append(3 * torch.from_numpy(samples).view(1, 1, -1).clamp(-0.33, 0.33))
    recordings = Recordings(args.data, seed=run.step)
    bar = tqdm(total=math.ceil(args.minutes), initial=int(run.minutes), unit="min")
    saved = checked = run.minutes
    while run.minutes < args.minutes:
        begin = time.monotonic()
        share = (run.minutes - args.since) / (args.minutes - args.since)
        for group in run.optimizer.param_groups:
            group["lr"] = LEARNING_RATE * max(0.02, 0.5 * (1 + math.cos(math.pi * share)))
        if run.step == WARM_UP:
            run.start_codebooks(recordings, args.batch)
        losses = run.train_step(recordings.batch(args.batch).to(run.device))
        if not all(map(math.isfinite, losses.values())):
            raise SystemExit(f"diverged at step {run.step}: {losses}; {run.state_file} is whole")
        run.minutes += (time.monotonic() - begin) / 60
        bar.n = round(run.minutes, 1)
        bar.set_postfix({"step": run.step} | {k: round(v, 3) for k, v in losses.items()})
        if run.minutes - checked > 8 or run.step == WARM_UP + 100:
            checked = run.minutes
            row = (
                {"step": run.step, "minutes": round(run.minutes, 2)} | losses | run.validate(valid)
            )
            with (args.out / "log.jsonl").open("a") as log:
                log.write(json.dumps(row) + "\n")
        if run.minutes - saved > 2:
            saved = run.minutes
            run.save()
    run.save()
    print(f"done: step {run.step}, {run.audio_hours:.1f} hours of audio")


if __name__ == "__main__":
    main()
