print(1)
len("x") #STATEK: as tool
