def lookup(:
