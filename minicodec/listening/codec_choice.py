"""Support: the codec that a person names: a file of their own, a folder, or one that is known.

    mine.py                        your own, see `minicodec.listening.codecs`: the file sets `codec`
    mp3=32,64                      MP3 at these bit rates
    encodec_24khz=6                the official package, with weights that are in our cache
    encodec_24khz-d7cc33bc.th=6    the same, with the weights in this file
    models/mimi=1.1                a model of transformers: EncodecModel, DacModel or MimiModel
    hf:kyutai/mimi=1.1             one that transformers keeps in its cache, or fetches

A file that ends in .py is run, with all that its author may do. So it is taken from a person alone,
as here from the command line, and from no config and no stream.
"""

import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path

from minicodec.listening.codecs import AnyCodec, CodecError, check_codec, raised
from minicodec.listening.known_codecs import Mp3, Official
from minicodec.listening.transformers_codecs import from_folder
from minicodec.model.pretrained import OFFICIAL, cache_folder


def named(text: str) -> list[AnyCodec]:
    """The codecs that a text names, tried out.

    Args:
        text: as above; the bit rates in kbps behind "=" are the highest if there are none.

    Raises:
        ValueError: if there is no such codec, or it is none.
    """
    name, kbps = (text, None) if Path(text).exists() else _rates(text)
    if name.endswith(".py"):
        if kbps:
            raise ValueError(f"{name} says itself which codecs it has, so it takes no bit rates.")
        return from_file(Path(name))
    found = list[AnyCodec]()
    if name == "mp3":
        found += [Mp3(rate) for rate in kbps or (64,)]
    elif name in OFFICIAL or name.endswith(".th"):
        found += _official(name, kbps)
    elif name.startswith("hf:") or (name and Path(name).is_dir()):
        found += from_folder(name.removeprefix("hf:"), kbps)
    else:
        raise ValueError(
            f"there is no codec {name!r}: name a .py file that sets `codec`, a folder of "
            f"transformers' save_pretrained, hf:OWNER/NAME, mp3, {', '.join(OFFICIAL)}, or their "
            "weights (.th)."
        )
    for codec in found:
        check_codec(codec, codec.name)
    return found


def from_file(path: Path) -> list[AnyCodec]:
    """What a Python file calls `codec`: one, or a list of them. The file is run.

    Raises:
        CodecError: if it cannot be run, or has no codec; or one that is none.
    """
    if not path.is_file():
        raise CodecError(f"{path}: no such file.")
    spec = importlib.util.spec_from_file_location(f"codec_in_{path.stem}", path)
    assert spec is not None and spec.loader is not None  # as for all that ends in .py
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise CodecError(f"{path} is no Python: {error.msg} in line {error.lineno}.") from error
    except (Exception, SystemExit) as error:
        raise CodecError(f"{path} {raised(error)}") from error
    found = getattr(module, "codec", None)
    if found is None or found == []:
        raise CodecError(f"{path} does not set `codec`, to one codec or to a list of them.")
    each = found if isinstance(found, (list, tuple)) else [found]
    for codec in each:
        check_codec(codec, f"{path}: {getattr(codec, '__name__', type(codec).__name__)}")
    return list(each)


def _official(name: str, kbps: Sequence[float] | None) -> list[Official]:
    model = next((each for each in OFFICIAL if Path(name).name.startswith(each)), None)
    if model is None:
        raise ValueError(f"{name} is to begin with {' or '.join(OFFICIAL)}, as official files do.")
    file = Path(name)
    if name in OFFICIAL:
        file = cache_folder() / OFFICIAL[name].file
        if not file.is_file():
            raise ValueError(
                f'the weights of {name} are not here yet: minicodec.load("{name}") fetches them, '
                "or name their file, which ends in .th."
            )
    rates = kbps or [max(OFFICIAL[model].config.bandwidths)]
    return [Official(model, rate, file) for rate in rates]


def _rates(text: str) -> tuple[str, list[float] | None]:
    name, sign, numbers = text.rpartition("=")
    if not sign:
        return text, None
    try:
        rates = [float(number) for number in numbers.split(",")]
    except ValueError:
        rates = []
    if not rates or not all(0 < rate < math.inf for rate in rates):
        raise ValueError(f"behind = stand bit rates in kbps, such as 6 or 6,12, not {numbers!r}.")
    return name, rates
