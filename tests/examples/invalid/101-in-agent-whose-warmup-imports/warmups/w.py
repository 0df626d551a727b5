import numpy
print(numpy, tiket)
