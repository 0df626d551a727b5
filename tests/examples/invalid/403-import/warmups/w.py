import numpy
print(numpy)
