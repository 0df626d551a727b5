print(lookup("x"))
