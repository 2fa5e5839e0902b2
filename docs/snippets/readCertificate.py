from engawa_client import Engawa

engawa = Engawa("http://127.0.0.1:8000")
print(engawa.certificate("current.pem"))
