"""One module per face; each route authenticates, parses, calls the store and shapes the answer."""
