module tls-session-binding

go 1.24
