"""Support: the same codec, made fast. Nobody who learns how it works needs to read this room."""
