#STATEK: label = "begin"
import numpy
found = lookup(event["id"])
# ----------
#STATEK: hidden = True
for tag in found.tags:
    print(tag, size, count)
    r = helper()
