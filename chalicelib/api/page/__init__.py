"""The Page API: pages, feeds, comments and favorites."""
