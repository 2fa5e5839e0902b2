"""The web pages of pages: a page, a feed, and the screens of a page's administrators."""
