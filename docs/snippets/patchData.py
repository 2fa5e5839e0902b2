from engawa_client import Engawa

# TOKEN: a user's access token with the scope mixi_apps2
engawa = Engawa("http://127.0.0.1:8000", token="TOKEN")
changed = engawa.app_data.patch(
    {
        "visits": {"add": "1"},
        "high_score": {"max": "6150"},
        "log": {"append": "won", "last": 10},
    }
)
print(changed.data, changed.etag)
