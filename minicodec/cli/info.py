"""Support: `minicodec info`: what a stream holds, which needs neither a model nor torch."""

import argparse

from minicodec.bits.container import BitstreamError, Chunk, Header, Readable, StreamBytes
from minicodec.cli.pipes import readable

#: Rows at each end of the table of chunks, unless all are asked for.
_ROWS = 10


def run(args: argparse.Namespace) -> None:
    """Print what a stream says about itself, and a row for each chunk.

    What is refused here `decode` refuses too, and the other way round: but for what takes the model
    to see, which is codes that no encoder wrote, and chunks or a length that are none of the
    model's.

    Raises:
        ValueError: behind all that can be said, if the stream is not whole.
    """
    with readable(args.input) as (magic, file):
        if magic == b"ECDC":
            _print_official(file)
            return
        stream = StreamBytes(file, tolerant=True)
        chunks = list(stream)
    _print_info(stream, chunks, args.all)
    there = {chunk.index for chunk in chunks}
    lost = [index for index in range(max(there, default=-1) + 1) if index not in there]
    wrong = [f"{len(lost)} of its chunks are damaged or missing, {_named(lost)}"] if lost else []
    if not chunks or chunks[-1].frames:
        wrong.append("its end is missing")
    if stream.damage and not wrong:
        wrong = [str(stream.damage).rstrip(".")]
    if wrong:
        raise BitstreamError(f"{args.input} is not whole: {', and '.join(wrong)}.")


def _print_official(file: Readable) -> None:
    from minicodec.bits import ecdc  # which does wait for torch

    data = ecdc.take(file)
    header = ecdc.read_header(data)
    rate = header.config.sample_rate
    coding = "language model" if header.lm else "none"
    print(
        f"format      .ecdc, of the official package\nmodel       {header.model}\n"
        f"audio       {header.length / rate:.3f} s, {header.length} samples, {rate} Hz\n"
        f"codes       {header.n_q} codebooks, entropy coding: {coding}"
    )
    ecdc.check_size(header, len(ecdc.codes_of(data)))


def _print_info(stream: StreamBytes, chunks: list[Chunk], every: bool) -> None:
    header = stream.header
    rate, end = header.sample_rate, chunks[-1] if chunks else None
    sound = [chunk for chunk in chunks if chunk.frames]
    if end is not None and end.frames:
        end = None
    lengths = {chunk.index: _samples(chunk, header, end) for chunk in sound}
    seconds = sum(lengths.values()) / rate
    codes = sum(len(chunk.codes) + 4 * len(chunk.scales) for chunk in sound)
    size = stream.header_size + sum(chunk.size for chunk in chunks)
    print(f"model       {header.model} (fingerprint {header.fingerprint.hex()})")
    print(
        f"audio       {seconds:.3f} s, {sum(lengths.values())} samples, {rate} Hz, "
        f"{header.channels} channel(s)\n"
        f"codes       {header.n_q} codebooks of {2**header.bits} entries, entropy coding: "
        f"{header.entropy}"
    )
    if any(header.entropy_fingerprint):
        print(f"predicted   by the model {header.entropy_fingerprint.hex()}")
    if not sound:
        return
    packed = header.chunk_frames * header.n_q * header.bits / header.seconds(1) / 1000
    print(
        f"bandwidth   nominal {packed:.3f} kbps, real {size * 8 / seconds / 1000:.3f} kbps\n"
        f"size        {size} bytes, of which codes {codes}\n"
        f"overhead    {size - codes} bytes, {100 * (size - codes) / size:.2f} %: header "
        f"{stream.header_size}, and {chunks[0].size - len(chunks[0].codes)} in a chunk\n\n"
        "chunk   from (s)    seconds   bytes     kbps"
    )
    for i, chunk in enumerate(sound):
        if not every and _ROWS <= i < len(sound) - _ROWS:
            if i == _ROWS:
                print(f"      … {len(sound) - 2 * _ROWS} more, shown with --all")
            continue
        length = lengths[chunk.index] / rate
        kbps = chunk.size * 8 / length / 1000
        print(f"{chunk.index:5}{header.seconds(chunk.index):11.2f}{length:11.2f}"
              f"{chunk.size:8}{kbps:9.3f}")  # fmt: skip


def _samples(chunk: Chunk, header: Header, end: Chunk | None) -> int:
    """Samples that a chunk stands for; where the end is missing, those of its frames."""
    if end is not None and end.index == chunk.index + 1:
        return end.length - chunk.index * header.chunk_samples
    share = header.chunk_samples * chunk.frames // header.chunk_frames
    return max(1, min(header.chunk_samples, share))


def _named(indices: list[int]) -> str:
    few = ", ".join(map(str, indices[:10]))
    return f"{few}, …" if len(indices) > 10 else few
