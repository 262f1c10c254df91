"""Where things lie in the repository."""

import pathlib

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BENCH = REPOSITORY / "bench"
PEERS = BENCH / "peers"
DEFAULT_BIN = REPOSITORY / "build/release"
SCRATCH = REPOSITORY / "build/bench"  # what a partial run writes, so that it never replaces the full table
