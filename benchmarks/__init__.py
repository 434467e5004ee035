"""Speed and memory, measured side by side and told as ratios: `make bench`, or `python -m benchmarks a b` for parts."""
