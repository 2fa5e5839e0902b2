"""The console: pages for operators and moderators."""
