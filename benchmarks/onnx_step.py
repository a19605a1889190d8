"""An exported codec, frame by frame: what the page "The codec in other programs" shows.

minicodec export-onnx -o . && python onnx_step.py < speech.raw > heard.raw     24 kHz, float32
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime


class Step:
    """The encoder or the decoder. What it remembers is a list that the caller keeps."""

    def __init__(self, file: str | Path, threads: int = 1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(file, options)
        self.inputs = self.session.get_inputs()  # sound or codes, then states

    def __call__(self, x: np.ndarray, states: list | None = None) -> tuple[np.ndarray, list]:
        if states is None:  # a stream begins
            states = [np.zeros(each.shape, np.float32) for each in self.inputs[1:]]
        names = [each.name for each in self.inputs]
        y, *states = self.session.run(None, dict(zip(names, [x, *states])))
        return y, states


if __name__ == "__main__":
    encode, decode = Step("mini_24khz_encoder.onnx"), Step("mini_24khz_decoder.onnx")
    there = here = None
    while len(data := sys.stdin.buffer.read(4 * 320)) == 4 * 320:
        frame = np.frombuffer(data, np.float32).reshape(1, 1, 320)
        codes, there = encode(frame, there)  # [1, 16, 1], int32
        audio, here = decode(codes[:, :8], here)  # the first 8 levels: 6 kbps
        sys.stdout.buffer.write(audio.tobytes())
