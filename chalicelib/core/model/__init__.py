"""The data classes: users, apps, pages, contents, access."""
