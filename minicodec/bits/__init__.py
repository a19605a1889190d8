"""Codes as few bytes: range coder, histograms, language model, bitstream. Chapters 11 to 13."""
