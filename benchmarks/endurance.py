"""Does it last? Two hours through pipes, 200 streams of one model at once, far places in a stream.

    python benchmarks/endurance.py --seconds 7200

It counts samples, bytes, chunks and megabytes. Of time it notes the processor's alone, which other
work makes longer too, so no page shows it. Memory is read from /proc, so this needs Linux; `tee`
keeps the stream in which the last part seeks.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, BinaryIO, cast
from unittest import mock

import torch
from machine import machine
from torch import Tensor

import minicodec
from minicodec import audio
from minicodec.bits import reader
from minicodec.bits.container import StreamBytes
from minicodec.bits.writer import StreamWriter
from minicodec.model.codec import Codec
from minicodec.model.streams import save_state
from minicodec.sound.blocks import BlockWriter, open_blocks
from minicodec.sound.metrics import si_sdr

RATE = 24000
MINICODEC = [sys.executable, "-m", "minicodec"]
PLACES = (0.01, 0.5, 0.99)


def programme(samples: int) -> Iterator[Tensor]:
    """So much sound [n], clip after clip of ours, every time at another level."""
    clips = [audio.clip(name)[0, 0] for name in ("speech_en", "music", "drums", "speech_de")]
    turn = 0
    while samples > 0:
        clip = 10 ** Random(turn).uniform(-1, 0) * clips[turn % len(clips)]
        yield clip[:samples]
        samples -= len(clip)
        turn += 1


def in_pieces(blocks: Iterable[Tensor], size: int) -> Iterator[Tensor]:
    """The same sound in pieces of one size; the last one is what is left."""
    held = torch.zeros(0)
    for block in blocks:
        held = torch.cat([held, block])
        while len(held) >= size:
            yield held[:size]
            held = held[size:]
    if len(held):
        yield held


def send(samples: int, pipe: BinaryIO) -> None:
    """Write the programme as WAV that does not know its length."""
    with pipe, BlockWriter(pipe, RATE, 1) as out:
        for block in programme(samples):
            out.write(block[None, None])


@dataclass
class Memory:
    """What a process held in RAM, in MB, as its work went on."""

    process: subprocess.Popen
    samples: list[float] = field(default_factory=list)

    def look(self) -> None:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        # A process that has ended, and is only waited for, has no such line.
        self.samples += [int(line.split()[1]) / 1024 for line in status.splitlines()
                         if line.startswith("VmRSS")]  # fmt: skip

    def row(self) -> dict[str, float]:
        """Its peaks as time went on, and the processor time of it all."""
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode:
            raise SystemExit(f"a command ended with status {self.process.returncode}")
        count = len(self.samples)
        return {
            "first_tenth_mb": round(max(self.samples[: max(1, count // 10)]), 1),
            "second_quarter_mb": round(max(self.samples[count // 4 : count // 2 + 1]), 1),
            "last_half_mb": round(max(self.samples[count // 2 :]), 1),
            "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        }


def through_pipes(samples: int, entropy: str, kept: Path, piece: int = 60 * RATE) -> dict[str, Any]:
    """A generator | encode | tee | decode | this process, which compares what it made and hears.

    Args:
        kept: where the stream goes as well.
        piece: samples that are compared at a time.
    """
    pipe = subprocess.PIPE
    words = [*MINICODEC, "encode", "-", "-b", "6", "-e", entropy]
    encode = subprocess.Popen(words, stdin=pipe, stdout=pipe)
    tee = subprocess.Popen(["tee", kept], stdin=encode.stdout, stdout=pipe)
    decode = subprocess.Popen([*MINICODEC, "decode", "-"], stdin=tee.stdout, stdout=pipe)
    into, stream, out = (cast(BinaryIO, end) for end in (encode.stdin, tee.stdout, decode.stdout))
    cast(BinaryIO, encode.stdout).close()  # theirs alone now, so that each sees the other's end
    stream.close()
    threading.Thread(target=send, args=(samples, into), daemon=True).start()

    memory = {"encode": Memory(encode), "decode": Memory(decode)}
    came, in_time, fidelity = 0, 0, []

    def arriving() -> Iterator[Tensor]:
        for block in open_blocks(out).converted(RATE, 1):
            for each in memory.values():
                each.look()
            yield block[0, 0]

    made = in_pieces(programme(samples), piece)
    for heard in in_pieces(arriving(), piece):
        came += len(heard)
        sent = next(made, torch.zeros(0))
        if len(heard) == len(sent) == piece:
            here, early, late = (
                float(si_sdr(a[None, None], b[None, None]))
                for a, b in ((sent, heard), (sent[:-1], heard[1:]), (sent[1:], heard[:-1]))
            )
            fidelity.append(here)
            in_time += here > max(early, late)
    rows = {name: each.row() for name, each in memory.items()}
    tee.wait()
    out.close()
    return {
        "entropy": entropy, "samples_sent": samples, "samples_received": came,
        "bytes": kept.stat().st_size, "pieces": len(fidelity), "pieces_in_time": in_time,
        "si_sdr": {"first": round(fidelity[0], 2), "last": round(fidelity[-1], 2),
                   "worst": round(min(fidelity), 2)},
        **rows,
    }  # fmt: skip


def taking_turns(jobs: list[Iterator[None]], seed: int) -> None:
    """Carry on with one of the jobs, by lot, until all of them have ended."""
    lot = Random(seed)
    while jobs:
        job = lot.choice(jobs)
        if next(job, jobs) is jobs:
            jobs.remove(job)


def one_at_a_time(jobs: list[Iterator[None]]) -> None:
    for job in jobs:
        for _ in job:
            pass


def interleaved(codec: Codec, streams: int, seconds: float) -> dict[str, Any]:
    """Many streams of one model in turns, in both directions, each compared with itself alone.

    Every stream has a sound of its own, which comes in pieces of its own lengths.
    """
    clips = list(in_pieces(programme(round(streams * seconds * RATE)), round(seconds * RATE)))

    def encoding(number: int, file: BinaryIO) -> Iterator[None]:
        lengths, rest = Random(number), clips[number]
        with StreamWriter(file, codec, 6.0) as out:
            while len(rest):
                size = lengths.randint(1, RATE // 2)
                out.write(rest[None, None, :size])
                rest = rest[size:]
                yield

    def decoding(data: bytes, out: list[Tensor]) -> Iterator[None]:
        for block in reader.StreamReader(io.BytesIO(data), codec):
            out.append(block)
            yield

    def all_of(run: Callable[[list[Iterator[None]]], None]) -> tuple[list[bytes], list[Tensor]]:
        files = [io.BytesIO() for _ in range(streams)]
        run([encoding(number, file) for number, file in enumerate(files)])
        data = [file.getvalue() for file in files]
        heard: list[list[Tensor]] = [[] for _ in range(streams)]
        run([decoding(each, out) for each, out in zip(data, heard)])
        return data, [torch.cat(blocks, dim=-1) for blocks in heard]

    data, heard = all_of(lambda jobs: taking_turns(jobs, seed=0))
    data_alone, heard_alone = all_of(one_at_a_time)
    codes, encoder = codec.stream_encode(clips[0][None, None], None, 6.0)
    _, decoder = codec.stream_decode(codes)
    return {
        "streams": streams, "seconds_each": seconds,
        "streams_equal": sum(map(bytes.__eq__, data, data_alone)),
        "sounds_equal": sum(map(torch.equal, heard, heard_alone)),
        "different_streams": len(set(data)),
        "state_bytes": {"encode": len(save_state(encoder, codec)),
                        "decode": len(save_state(decoder, codec))},
    }  # fmt: skip


class Counted:
    """A file that counts the bytes that are read from it, not those that are passed over."""

    def __init__(self, file: BinaryIO):
        self.file, self.taken = file, 0

    def read(self, size: int, /) -> bytes:
        data = self.file.read(size)
        self.taken += len(data)
        return data

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)


def seeks(data: bytes, codec: Codec, places: Iterable[float] = PLACES) -> list[dict[str, Any]]:
    """What it takes to hear one second, far into a stream."""
    length = sum(chunk.frames for chunk in StreamBytes(io.BytesIO(data)))
    rate, rows = codec.config.frame_rate, []
    for place in places:
        file, start = Counted(io.BytesIO(data)), place * length / rate
        begin = time.process_time()
        # Counted is what is unpacked and decoded, whatever of it is then thrown away.
        with (
            mock.patch.object(reader, "from_bytes", wraps=reader.from_bytes) as unpack,
            mock.patch.object(codec, "stream_decode", wraps=codec.stream_decode) as decode,
        ):
            second = reader.StreamReader(file, codec, start=start, duration=1.0)
            samples = sum(block.shape[-1] for block in second)
        frames = sum(call.args[0].shape[2] for call in decode.call_args_list)
        rows.append({
            "place": place, "start_seconds": round(start, 2), "samples": samples,
            "bytes_read": file.taken, "chunks_decoded": unpack.call_count,
            "seconds_decoded": round(frames / rate, 2),
            "processor_ms": round(1000 * (time.process_time() - begin), 1),
        })  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=7200, help="through pipes; 2 hours")
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/endurance.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    codec = minicodec.load("mini_24khz")

    found: dict[str, Any] = {"machine": machine()}

    def note(**part: Any) -> None:
        """After each part, for the next one may take hours."""
        print(json.dumps(part))
        found.update(part)
        args.output.write_text(json.dumps(found, indent=1) + "\n")

    note(interleaved=interleaved(codec, args.streams, 3.0))
    with tempfile.TemporaryDirectory() as folder:
        for entropy in ("none", "lm"):
            kept = Path(folder) / f"{entropy}.mcdc"
            # Seven samples more, so that a length that was rounded would show.
            row = through_pipes(round(args.seconds * RATE) + 7, entropy, kept)
            note(pipes=[*found.get("pipes", []), row])
            if entropy == "none":
                data = kept.read_bytes()
                note(seeks={"bytes": len(data), "rows": seeks(data, codec)})


if __name__ == "__main__":
    main()
