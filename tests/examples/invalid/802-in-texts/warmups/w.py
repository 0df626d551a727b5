key = "sk-proj-abcdefghijklmnopqrstuvwx0123456789ABCDEF"
