open ImplAvl

def insertAll (ks : List Int) : Tree := ks.foldl (fun t k => insert k t) .leaf

#guard keys (insert 3 .leaf) = [3]
#guard keys (insert 3 (insert 3 .leaf)) = [3]
#guard keys (insertAll [2, 3, 1]) = [1, 2, 3]
#guard keys (insertAll [5, -1, 4, 0, -1]) = [-1, 0, 4, 5]
#guard height (insertAll [1, 2, 3]) = 2
#guard decide (height (insertAll [7, 6, 5, 4, 3, 2, 1]) ≤ 4)
