from engawa_client import Engawa

# TOKEN: a user's access token with the scope r_profile
engawa = Engawa("http://127.0.0.1:8000", token="TOKEN")
print(engawa.open_social.person("@me").get("nickname"))
for friend in engawa.open_social.people("@me", "@friends"):
    print(friend["id"], friend.get("nickname"))
