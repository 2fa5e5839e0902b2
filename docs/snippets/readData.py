from engawa_client import Engawa

# TOKEN: a user's access token with the scope mixi_apps2
engawa = Engawa("http://127.0.0.1:8000", token="TOKEN")
mine = engawa.app_data.read(fields=["level", "greeting"])
print(mine.data, mine.etag)
friends = engawa.app_data.read("@friends", fields=["level"])
print(friends.users)
