#STATEK: hiden = True
x = 1
# ----------
#STATEK: hidden = 1
print(x)
