print(open("x"))
