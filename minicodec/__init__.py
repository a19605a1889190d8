"""minicodec: EnCodec, rebuilt part by part, to be read, heard and used."""

__version__ = "0.1.0"
