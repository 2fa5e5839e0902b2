"""What there is: users, apps, pages, contents, access."""
