"""Where roads come from: procedural generation and files."""
