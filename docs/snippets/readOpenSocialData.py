from engawa_client import Engawa

# TOKEN: a user's access token with the scope mixi_apps2
engawa = Engawa("http://127.0.0.1:8000", token="TOKEN")
found = engawa.open_social.data("@me", "@self", fields=["level"])
print(found.users, found.etag)
