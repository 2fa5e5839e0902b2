from engawa_client import Engawa

# TOKEN: a user's access token with the scope mixi_apps2
engawa = Engawa("http://127.0.0.1:8000", token="TOKEN")
stored = engawa.app_data.merge({"greeting": "Welcome!", "level": "6"})
print(stored.etag, stored.remaining)
