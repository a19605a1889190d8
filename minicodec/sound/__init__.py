"""Sound as numbers: reading, looking at, and measuring it. Chapter 01."""
