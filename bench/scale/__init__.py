"""How cost and latency grow: `make scale` (docs/quality.md)."""
