"""The promised figures, measured side by side: `make bench` (docs/performance.md)."""
