x = 1
print(x.__globals__)
