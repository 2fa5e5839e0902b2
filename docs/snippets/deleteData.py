from engawa_client import Engawa

# TOKEN: a user's access token with the scope mixi_apps2
engawa = Engawa("http://127.0.0.1:8000", token="TOKEN")
engawa.app_data.delete(["greeting"])  # ALL instead of a list deletes every key
