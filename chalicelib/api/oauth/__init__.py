"""OAuth 2: endpoints, sign-in and consent."""
