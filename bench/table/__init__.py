"""The whole-system benchmark: Ringcast beside its peers, row by row. bench/run is its command."""
