from math import pi, sqroot

print(sqroot(pi))
