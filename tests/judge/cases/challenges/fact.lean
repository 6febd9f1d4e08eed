theorem hundred : (List.range 100).foldl (· + ·) 0 = 4950 := sorry
