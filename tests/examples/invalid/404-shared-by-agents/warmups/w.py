print(zz)
