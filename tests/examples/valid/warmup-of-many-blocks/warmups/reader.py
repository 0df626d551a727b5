# What is known before the first question.
import math

books = find(title, limit=most)
# ----------
def often(book):
    return count_loans(book) > math.floor(2.5)


class Shelf:
    def __init__(self, names):
        self.names = names


shelf = Shelf([book for book in books if often(book)])
# ----------
for number, name in enumerate(shelf.names):
    print(f"{number}: {name}")
