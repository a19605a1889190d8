"""Support: what `import minicodec` offers, beside `listening` and `plotting`, which draw."""

from minicodec.bits.bitstream import compress as compress
from minicodec.bits.bitstream import decompress as decompress
from minicodec.model.checkpoint import save_codec as save  # noqa: F401
from minicodec.model.codec import Codec as Codec
from minicodec.model.config import ENCODEC_24KHZ as ENCODEC_24KHZ
from minicodec.model.config import ENCODEC_48KHZ as ENCODEC_48KHZ
from minicodec.model.config import MINI_24KHZ as MINI_24KHZ
from minicodec.model.config import CodecConfig as CodecConfig
from minicodec.model.export import export as export
from minicodec.model.fast.codec import faster as faster
from minicodec.model.pretrained import load as load
from minicodec.model.streams import encode_batch as encode_batch
from minicodec.sound import audio as audio
from minicodec.sound import diagrams as diagrams
from minicodec.sound import metrics as metrics
from minicodec.sound import spectral as spectral
