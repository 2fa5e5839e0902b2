from engawa_client import Engawa

# TOKEN: an access token of the app (or a user's, with the scope r_page)
engawa = Engawa("http://127.0.0.1:8000", token="TOKEN")
page = engawa.page("20260401000000000001")
about = page.get()
print(about["displayName"], about["followerCount"])
