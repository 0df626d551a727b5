import math
# ----------
print(math.sqroot(2), math.sqroot(3))
