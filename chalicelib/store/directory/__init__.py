"""Users, apps, pages, and the relations between them."""
