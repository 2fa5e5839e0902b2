"""The growth of cost and latency: `make scale` (docs/internals/quality.md)."""
