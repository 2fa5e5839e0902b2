from engawa_client import Engawa

# TOKEN: a user's access token with the scope r_profile
engawa = Engawa("http://127.0.0.1:8000", token="TOKEN")
me = engawa.people.me(fields=["displayName", "thumbnailUrl"])
print(me.get("displayName"))
for friend in engawa.people.friends(has_app=True):
    print(friend["id"], friend.get("displayName"))
