"""Support: learning a language model for the codes of one codec.

The codec is fixed and runs once over all recordings; after that a batch is a few pieces of 5
seconds cut out of its codes. Each batch draws the number of codebooks from the codec's bandwidths,
so that one model serves them all, and the position of its first frame.

Small sets are soon known by heart, so what counts is how many bits codes cost that were never
learned from: the weights kept are those that did best there, not the last ones. More can be made
of little sound by coding it again, at another level and shifted by a fraction of a frame: the
codes differ, what they describe does not.

Paper: section 3.3.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save
from torch import Tensor
from tqdm import tqdm

from minicodec.bits.exact import ExactLanguageModel
from minicodec.bits.exact_weights import POSITIONS
from minicodec.bits.language_model import LanguageModel, bits
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec
from minicodec.sound import audio
from minicodec.sound.files import recordings, write_bytes
from minicodec.training import run_state
from minicodec.training.interrupts import Interrupted, Interrupts
from minicodec.training.journal import Journal
from minicodec.training.run_lock import hold

#: Seconds of a chunk: the model starts anew with each, as it does in a stream (chapter 13).
CHUNK = 5.0


@dataclass(frozen=True)
class Recipe:
    """How to learn.

    Args:
        batch: pieces per step. In a short run many small steps win over few large ones.
        learning_rate: after the warm-up; it falls to 2 % along a cosine.
        weight_decay: of AdamW.
        warm_up: steps in which the learning rate rises.
        seed: of the pieces drawn.
    """

    batch: int = 4
    learning_rate: float = 2e-3
    weight_decay: float = 0.1
    warm_up: int = 100
    seed: int = 0


def read_codes(
    folder: Path, codec: Codec, copies: int = 1, cache: Path | None = None
) -> list[Tensor]:
    """Codes of all recordings in a folder and its subfolders, at the highest bandwidth.

    Args:
        copies: how often each recording is coded: as it is, then with random gain and shift.
        cache: a file to keep them in; it is used if it is of this codec and number of copies.

    Returns:
        codes [K, T] int16 of each recording that could be read and lasts a second or more.

    Raises:
        ValueError: if there are none.
    """
    origin = {"codec": fingerprint(codec).hex(), "folder": str(folder.resolve()),
              "copies": str(copies)}  # fmt: skip
    if cache is not None and cache.is_file():
        try:
            with safetensors.safe_open(cache, "pt") as file:
                if file.metadata() == origin:
                    return list(load_file(cache).values())
        except safetensors.SafetensorError:
            print(f"{cache} is damaged: coding the recordings anew")
    files = recordings(folder)
    random = np.random.default_rng(0)
    rate, codes = codec.config.sample_rate, list[Tensor]()
    for file in tqdm([f for f in files for _ in range(copies)], f"coding {folder.resolve().name}",
                     unit="file"):  # fmt: skip
        if len(codes) % copies == 0:
            try:
                clip, _ = audio.load(file, rate, codec.config.channels)
            except ValueError as error:
                print(f"skipped: {error}")
                continue
            piece = clip
        else:
            gain = 10 ** (random.uniform(-8, 12) / 20)
            shift = int(random.integers(codec.config.hop_length))
            piece = clip[:, shift:] * min(gain, 0.99 / max(1e-3, float(clip.abs().max())))
        if piece.shape[-1] >= rate:
            codes.append(codec.encode_scaled(piece[None])[0][0].short())
    if not codes:
        raise ValueError(f"{folder} holds no recordings of a second or more.")
    if cache is not None:
        cache.parent.mkdir(parents=True, exist_ok=True)
        kept = {f"{i:06}": clip.contiguous() for i, clip in enumerate(codes)}
        write_bytes(cache, save(kept, origin))
    return codes


@torch.no_grad()
def initialize(model: LanguageModel, codes: Sequence[Tensor]) -> None:
    """Begin where counting codes ends: each head's biases are the logarithms of frequencies.

    Small weights let them count, and let small steps change much: the sum of embeddings is
    normalized, so only the direction of a step matters.
    """
    config = model.config
    for level in range(config.n_q):
        seen = torch.cat([clip[level] for clip in codes]).long()
        counts = torch.bincount(seen, minlength=config.codebook_size) + 1.0
        first = level * config.codebook_size
        model.heads.bias[first : first + config.codebook_size] = (counts / counts.sum()).log()
    model.heads.weight.mul_(0.1)
    model.embedding.weight.mul_(0.1)


def chunks(codes: Sequence[Tensor], n_q: int, frames: int) -> list[Tensor]:
    """All clips cut into chunks [n_q, ≤ frames], as a stream would hold them."""
    return [part for clip in codes for part in clip[:n_q].long().split(frames, dim=1)]


@torch.no_grad()
def float_bits(model: LanguageModel, codes: Sequence[Tensor], n_q: int, frames: int) -> Tensor:
    """Mean bits per code, of each level [n_q]; the model starts anew every `frames` frames."""
    total, count = torch.zeros(n_q, dtype=torch.float64), 0
    device = next(model.parameters()).device
    for chunk in chunks(codes, n_q, frames):
        cost = bits(model(chunk[None].to(device)), chunk[None].to(device))
        total += cost[0].double().sum(1).cpu()
        count += chunk.shape[1]
    return total / count


def exact_bits(model: ExactLanguageModel, codes: Sequence[Tensor], n_q: int, frames: int) -> Tensor:
    """The same of the integer model: what the range coder will spend, but for a few bytes."""
    total, count = torch.zeros(n_q, dtype=torch.float64), 0
    for chunk in chunks(codes, n_q, frames):
        tables = model.tables(chunk).double()
        chosen = tables.gather(2, chunk.T[:, :, None])[:, :, 0]
        total += (tables.sum(2) / chosen).log2().sum(0)
        count += chunk.shape[1]
    return total / count


class LanguageModelTrainer:
    """One run: model, optimizer, clock, the best weights so far, in a folder that it resumes from.

    Args:
        codes: of recordings to learn from, [K, T] each.
        valid: of others; the first chunk of each decides which weights are kept.
        levels: numbers of codebooks to draw from, one per bandwidth.
        folder: of the run.
        minutes: age at which the run ends, restarts included.

    Raises:
        ValueError: if another process trains in the folder, or it holds a model of another size.
    """

    def __init__(
        self,
        model: LanguageModel,
        codes: Sequence[Tensor],
        valid: Sequence[Tensor],
        levels: Sequence[int],
        folder: Path,
        minutes: float,
        recipe: Recipe | None = None,
    ):
        self.recipe = recipe or Recipe()
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = model.to(self.device).train()
        self.codes, self.levels = list(codes), list(levels)
        self.folder, self.minutes = folder, minutes
        self.frames = round(CHUNK * model.config.frame_rate)
        self.valid = [clip[:, : self.frames] for clip in valid]  # enough to choose weights by
        self.lengths = np.array([c.shape[1] for c in self.codes], float)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), self.recipe.learning_rate, (0.9, 0.98),
            weight_decay=self.recipe.weight_decay,
        )  # fmt: skip
        self.step, self.age, self.best_bits = 0, 0.0, math.inf
        self.best = self._weights()
        self._lock = hold(folder)
        run_state.clear(folder)
        found = run_state.read_last(folder)
        if found is not None:
            self._resume(found)
        self.journal = Journal(folder, self.step)

    def run(self, progress: bool = True) -> LanguageModel:
        """Learn until the minutes are over; returns the model with the weights that did best.

        Raises:
            Interrupted: after a signal, when the present step is done and everything is saved.
        """
        bar = tqdm(total=round(self.minutes, 1), initial=round(self.age, 1), unit="min",
                   disable=not progress)  # fmt: skip
        pause = min(2.0, self.minutes / 10)
        checked = self.age
        with Interrupts() as interrupts, bar:
            while self.age < self.minutes and not interrupts.seen:
                begin = time.monotonic()
                row = self.learn()
                over = self.age + (time.monotonic() - begin) / 60 >= self.minutes
                if over or self.age - checked > pause:
                    row |= self.validate()
                    checked = self.age
                self.age += (time.monotonic() - begin) / 60
                bar.n = round(self.age, 2)
                bar.set_postfix(
                    step=self.step, bits=f"{row['bits']:.3f}", best=f"{self.best_bits:.3f}"
                )
                if "valid" in row:
                    self.journal.write({"step": self.step, "minutes": round(self.age, 2)} | row)
                    self.save()
            if interrupts.seen:
                self.save()
        if interrupts.seen:
            raise Interrupted(
                f"{interrupts.seen} at step {self.step}, minute {self.age:.1f}: all is saved in "
                f"{self.folder}, and the same command goes on from there.",
                interrupts.number,
            )
        self.model.load_state_dict(self.best)
        return self.model.eval()

    def learn(self) -> dict[str, float]:
        """One step."""
        random = np.random.default_rng((self.recipe.seed, self.step))
        n_q = int(random.choice(self.levels))
        codes = self.draw(random, n_q)
        offset = int(random.integers(POSITIONS - self.frames))
        rise = min(1.0, (self.step + 1) / self.recipe.warm_up)
        fall = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, self.age / self.minutes)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * rise * fall
        scores = self.model(codes.clamp(min=0), offset)
        loss = F.cross_entropy(scores.flatten(0, 2), codes.flatten(), ignore_index=-1)
        if not torch.isfinite(loss):
            raise ValueError(f"step {self.step} diverged: try a lower learning rate.")
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        return {"bits": loss.item() / math.log(2), "n_q": n_q}

    def draw(self, random: np.random.Generator, n_q: int) -> Tensor:
        """Pieces [batch, n_q, frames]; −1 where a clip was too short."""
        batch = torch.full((self.recipe.batch, n_q, self.frames), -1)
        share = self.lengths / self.lengths.sum()
        chosen = random.choice(len(self.codes), self.recipe.batch, p=share)
        for row, index in zip(batch, chosen):
            clip = self.codes[index]
            start = int(random.integers(max(0, clip.shape[1] - self.frames) + 1))
            piece = clip[:n_q, start : start + self.frames]
            row[:, : piece.shape[1]] = piece
        return batch.to(self.device)

    def validate(self) -> dict[str, float]:
        """Bits per code on recordings not learned from, for each number of codebooks."""
        self.model.eval()
        result = {}
        for n_q in self.levels:
            cost = float_bits(self.model, self.valid, n_q, self.frames)
            result[f"valid_{n_q}"] = round(float(cost.mean()), 4)
        self.model.train()
        result["valid"] = round(float(np.mean(list(result.values()))), 4)
        if result["valid"] < self.best_bits:
            self.best_bits, self.best = result["valid"], self._weights()
        return result

    def save(self) -> None:
        """Write everything that the run needs to go on."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in self.best.items()}
        tensors |= {f"adam.{k}": v for k, v in
                    run_state.optimizer_tensors(self.optimizer).items()}  # fmt: skip
        numbers = {"step": self.step, "age": self.age, "best_bits": self.best_bits}
        run_state.write(self.folder, self.step, tensors, numbers)

    def _resume(self, found: run_state.Checkpoint) -> None:
        try:
            self.model.load_state_dict(run_state.under(found.tensors, "model"))
        except RuntimeError as error:
            raise ValueError(
                f"{found.path} is of a model of another size: choose another run."
            ) from error
        run_state.restore_optimizer(self.optimizer, run_state.under(found.tensors, "adam"))
        self.best = run_state.under(found.tensors, "best")
        self.step, self.age = found.numbers["step"], found.numbers["age"]
        self.best_bits = found.numbers["best_bits"]
        print(f"goes on from step {self.step}, minute {self.age:.1f}")

    def _weights(self) -> dict[str, Tensor]:
        return {k: v.detach().cpu().clone() for k, v in self.model.state_dict().items()}
