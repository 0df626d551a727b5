x = 1
#STATEK: hidden
