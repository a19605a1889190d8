"""Support: a codec as files for other programs: two ONNX graphs, their weights, and what they are.

The graphs are written down layer by layer, not recorded from a run of torch: so their memory stays
a list of inputs and outputs, they have a few hundred nodes that carry the names of layers, and
writing them takes no exporter.
"""

import json
from pathlib import Path
from typing import Any

from minicodec.model.checkpoint import facts, fingerprint, load_codec
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.onnx_graph import FLOAT, INT32, Graph, WeightFile
from minicodec.model.onnx_layers import dequantize, layers, quantize
from minicodec.model.streams import silent_frame
from minicodec.sound.files import write_bytes


def export_onnx(checkpoint: str | Path, folder: str | Path, stem: str) -> list[Path]:
    """Write a codec as `STEM_encoder.onnx`, `STEM_decoder.onnx`, `STEM.safetensors`, `STEM.json`.

    Each file appears whole or not at all, and the last one names the others.

    Args:
        checkpoint: file that `minicodec.model.checkpoint.save_codec` wrote. A copy of it is where
            the graphs have their weights.
        folder: made if need be.
        stem: of the names of the files.

    Returns:
        the files, as `file_names` calls them.

    Raises:
        ValueError: for what is no checkpoint, for a codec that has no steps with states of one
            size, or for weights that are neither of 16 nor of 32 bits.
    """
    codec = load_codec(checkpoint)
    check_exportable(codec.config)
    data, folder = Path(checkpoint).read_bytes(), Path(folder)
    files = [folder / name for name in file_names(stem)]
    weights = WeightFile.of(files[0].name, data)
    graphs = {"encoder": encoder_graph(codec, weights), "decoder": decoder_graph(codec, weights)}
    mark = {"fingerprint": fingerprint(codec).hex()}
    config = codec.config
    text = {
        "name": codec.name,
        **mark,
        "sample_rate": config.sample_rate,
        "channels": config.channels,
        "hop_length": config.hop_length,
        "frame_rate": config.frame_rate,
        "bits": config.bits,
        "codebook_size": config.codebook_size,
        "n_q": config.max_n_q,
        "bandwidths": [{"kbps": kbps, "n_q": config.n_q(kbps)} for kbps in config.bandwidths],
        "weights": {"file": weights.name, "bytes": len(data)},
        "encoder": _described(files[1].name, "audio", "codes", graphs["encoder"]),
        "decoder": _described(files[2].name, "codes", "audio", graphs["decoder"]),
        "silence": silent_frame(codec).flatten().tolist(),
        "licence": facts(checkpoint).get("licence"),
    }
    models = [graph.model(name, mark).SerializeToString() for name, graph in graphs.items()]
    description = json.dumps(text, indent=1) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in zip(files, (data, *models, description.encode())):
        write_bytes(file, content)
    return files


def file_names(stem: str) -> list[str]:
    """Weights, encoder, decoder, and what describes them."""
    return [f"{stem}.safetensors", f"{stem}_encoder.onnx", f"{stem}_decoder.onnx", f"{stem}.json"]


def check_exportable(config: CodecConfig) -> None:
    """Refuse what has no step with states of one size.

    Raises:
        ValueError: in one sentence.
    """
    if not config.streams:
        raise ValueError(
            "this model cannot stream: it looks at a whole segment at once, and what is exported "
            "is a step that takes any number of frames."
        )
    if config.pad_mode != "constant":
        raise ValueError(
            "this model pads with reflections, so its first step would differ from the others: "
            "only models that pad with zeros can be exported."
        )
    if config.activation != "elu":
        raise ValueError(
            f"this model has {config.activation} activations: only models with elu can be exported."
        )


def encoder_graph(codec: Codec, weights: WeightFile) -> Graph:
    """Samples of whole frames to codes of all levels; a part of a frame is an error."""
    config, graph = codec.config, Graph(weights)
    audio = graph.input("audio", FLOAT, (1, config.channels, "samples"))
    for shape in ([1, config.channels, -1, config.hop_length], [1, config.channels, -1]):
        audio = graph.node("Reshape", audio, graph.constant(shape), name="audio")
    latents = layers(graph, "encoder.layers", codec.encoder.layers, audio)
    codes = quantize(graph, "quantizer", codec.quantizer, latents)
    graph.output(codes, "codes", INT32, (1, config.max_n_q, "frames"))
    return graph


def decoder_graph(codec: Codec, weights: WeightFile) -> Graph:
    """Codes of any number of levels to samples; `codebook_size` as a code stands for nothing."""
    config, graph = codec.config, Graph(weights)
    graph.input("codes", INT32, (1, "levels", "frames"))
    latents = dequantize(graph, "quantizer", codec.quantizer, "codes")
    audio = layers(graph, "decoder.layers", codec.decoder.layers, latents)
    graph.output(audio, "audio", FLOAT, (1, config.channels, "samples"))
    return graph


def _described(file: str, goes_in: str, comes_out: str, graph: Graph) -> dict[str, Any]:
    states = [state._asdict() for state in graph.states]
    return {"file": file, "input": goes_in, "output": comes_out, "states": states}
