"""Write anew what the specifications and chapter 12 quote of the models that ship, to check with.

python tools/check_numbers.py

Fingerprints, codes of silence, and frequencies of the language model stand in `book/bitstream.md`,
`book/exact-language-model.md` and chapter 12, so that other programs can be compared with ours.
`tests/bits/test_bitstream_page.py` says when they are stale.
"""

import hashlib
import re
from unittest import mock

import torch
from notebooks import ROOT

import minicodec
from minicodec.bits.exact import ExactLanguageModel
from minicodec.bits.histogram import for_codec
from minicodec.bits.language_model_file import load_language_model
from minicodec.bits.packing import silence
from minicodec.model.checkpoint import fingerprint

FRAMES, BOTH = 1100, (2, 16)


def main() -> None:
    codec, fast = minicodec.load("mini_24khz"), load_language_model("mini_24khz")
    prior = for_codec(codec)
    assert prior.prior is not None
    first = ", ".join(map(str, prior.prior[0, :3].tolist()))
    still = silence(codec, codec.config.max_n_q, 1, 0)[0][0, :, 0].tolist()
    mark = fingerprint(codec).hex()
    rewrite(
        "book/bitstream.md",
        (r"(?<=That of `mini_24khz` is `)[0-9a-f]{16}", mark),
        (r'(?<="codec": ")[0-9a-f]{16}', mark),
        (r"(?<=that of `mini_24khz` is `)[0-9a-f]{16}", prior.fingerprint.hex()),
        (r'(?<="mini_24khz", "codec": "' + mark + r'", "fingerprint": ")[0-9a-f]{16}',
         prior.fingerprint.hex()),
        (r'(?<="counts": \[\[)\d+, \d+, \d+', first),
        (r"(?<=\n)\d+( \d+){15}(?=\n)", " ".join(map(str, still))),
    )  # fmt: skip
    rewrite(
        "book/exact-language-model.md",
        (r"(?<=`mini_24khz` is `)[0-9a-f]{16}", fast.fingerprint.hex()),
        *two_frames(ExactLanguageModel(fast.config, fast.tensors, fast.codec)),
        *many_frames(fast),
    )
    codes = (37 * torch.arange(FRAMES) + 11 * torch.arange(2)[:, None]) % 1024
    whole = hashlib.sha256(fast.tables(codes).numpy().astype("<u4").tobytes()).hexdigest()
    rewrite(
        "chapters/12_a_language_model_for_codes.ipynb",
        (r'(?<=book = \\")[0-9a-f]{64}', whole),
    )
    rewrite("minicodec/bits/prior_file.py", (r"[0-9a-f]{16}", prior.fingerprint.hex()))
    other = fingerprint(minicodec.load("mini_24khz_adversarial")).hex()
    rewrite(
        "tests/model/test_snake.py",
        (r'(?<=load\("mini_24khz"\)\).hex\(\) == ")[0-9a-f]{16}', mark),
        (r'(?<=load\("mini_24khz_adversarial"\)\).hex\(\) == ")[0-9a-f]{16}', other),
    )


def two_frames(model: ExactLanguageModel) -> list[tuple[str, str]]:
    """The first numbers of each layer, and frequencies, in frames 0 and 1."""
    seen, norm = list[tuple[str, list[int]]](), ExactLanguageModel._norm

    def noted(self, x, name, epsilon=None):
        y = norm(self, x, name, epsilon)
        seen.append((name, y[0, :4].tolist()))
        return y

    lines, codes, state = list[str](), None, model.start(2)
    for frame in range(2):
        seen.clear()
        with mock.patch.object(ExactLanguageModel, "_norm", noted):
            table, state = model.stream(codes, state)
        shown = [four for name, four in seen if name == "norm" or name.endswith("norm2")]
        names = ["after the first norm", *(f"layer {n}" for n in range(len(shown) - 1))]
        for number, (name, four) in enumerate(zip(names, shown)):
            start = f"frame {frame}" if not number else " " * 7
            note = "      (before positions are added)" if not (frame or number) else ""
            lines.append(f"{start:10}{name:23}{' '.join(map(str, four))}{note}")
        for k, row in enumerate(table):
            codes_told = " ".join(map(str, row[:4].tolist()))
            lines.append(f"{'':10}{f'codebook {k}':23}{codes_told:25}all: {int(row.sum())}")
        codes = torch.tensor([0, 1023])
    return [(r"(?<=```text\n)frame 0 [^`]*\n(?=```)", "\n".join(lines) + "\n")]


def many_frames(model) -> list[tuple[str, str]]:
    """Rows of the table of frames far into a chunk: those that the page has."""
    page = (ROOT / "book/exact-language-model.md").read_text(encoding="utf-8")
    rows = re.findall(r"^(\d+) +(\d+) +[0-9a-f]{16} .*$", page, re.MULTILINE)
    codes = (37 * torch.arange(FRAMES) + 11 * torch.arange(16)[:, None]) % 1024
    found = list[tuple[str, str]]()
    for n_q in BOTH:
        wanted = {int(t) for count, t in rows if int(count) == n_q}
        digest = hashlib.sha256()
        for t, tables in enumerate(model.tables(codes[:n_q, : max(wanted) + 1]).numpy()):
            digest.update(tables.astype("<u4").tobytes())
            if t in wanted:
                halves = [
                    f"{' '.join(map(str, row[:4].tolist())):{width}}{int(row.sum())}"
                    for row, width in zip(tables[:2], (25, 27))
                ]
                text = f"{n_q:<5}{t:<6}{digest.copy().hexdigest()[:16]}   {halves[0]}   {halves[1]}"
                found.append((rf"(?m)^{n_q} +{t} +[0-9a-f]{{16}} .*$", text))
    return found


def rewrite(path: str, *changes: tuple[str, str]) -> None:
    """Put each text where its pattern is, which has to be there."""
    file = ROOT / path
    text = file.read_text(encoding="utf-8")
    for pattern, new in changes:
        text, times = re.subn(pattern, new.replace("\\", r"\\"), text)
        if not times:
            raise SystemExit(f"{path}: nothing is like {pattern}")
    file.write_text(text, encoding="utf-8")
    print(f"{path}: written")


if __name__ == "__main__":
    main()
