"""Support: the counts that a histogram begins with, for programs that cannot load a codec.

They follow from the codec's own file, as `minicodec.bits.histogram.for_codec` has it; the web page
that writes streams gets them as a file of their own, which is a hundredth as long.
"""

import json

from minicodec.bits import histogram
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec


def prior_json(codec: Codec) -> str:
    """The prior of a codec as JSON: model, codec, fingerprint, counts.

    Raises:
        ValueError: for a codec that has none.

    >>> from minicodec.model.pretrained import load
    >>> prior = json.loads(prior_json(load("mini_24khz")))
    >>> prior["fingerprint"], len(prior["counts"])
    ('642da73996bac798', 16)
    """
    counts = histogram.for_codec(codec)
    if counts.prior is None:
        raise ValueError(f"{codec.name!r} has no counts of its codes, so histograms begin as ones.")
    return json.dumps(
        {
            "model": codec.name,
            "codec": fingerprint(codec).hex(),
            "fingerprint": counts.fingerprint.hex(),
            "counts": counts.prior.tolist(),
        }
    )
