import os
number = lokup(1)
