import { Engawa } from "@engawa/client";

const engawa = new Engawa("http://127.0.0.1:8000");
console.log(await engawa.certificate("current.pem"));
