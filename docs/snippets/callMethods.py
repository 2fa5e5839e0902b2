from engawa_client import Engawa

# TOKEN: a user's access token with the scope mixi_apps2 and r_profile
engawa = Engawa("http://127.0.0.1:8000", token="TOKEN")
written, friends = engawa.rpc(
    [
        {"method": "appdata.update", "params": {"userId": "@viewer", "data": {"level": "6"}}},
        {"method": "people.get", "params": {"userId": "@me", "groupId": "@friends"}},
    ]
)
print(written.get("error"))
print(friends.get("result"))
