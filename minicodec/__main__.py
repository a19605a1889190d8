"""`python -m minicodec` is the command `minicodec`."""

from minicodec.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
