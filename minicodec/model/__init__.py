"""The codec: convolutions, SEANet, streams, quantization, bandwidth. Chapters 02 to 06."""
