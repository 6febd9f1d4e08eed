open Huffman

#guard (code []).length = 0
#guard (code [(7, 3)]).map (·.word) = [[]]
#guard (code [(1, 5), (2, 9)]).map (·.word.length) = [1, 1]
#guard (code [(1, 2), (2, 1), (3, 4)]).length = 3
#guard ((code [(1, 2), (2, 1), (3, 4)]).filter (·.symbol = 3)).map (·.word.length) = [1]
#guard ((code [(1, 2), (2, 1), (3, 4)]).filter (·.symbol = 2)).map (·.word.length) = [2]
