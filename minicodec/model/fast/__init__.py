"""The same codec, made fast: nobody above needs to read it."""
