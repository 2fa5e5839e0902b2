"""How cost and latency grow: `make scale` (docs/internals/quality.md)."""
