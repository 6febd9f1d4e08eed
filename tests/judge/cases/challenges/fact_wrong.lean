theorem ninety : (List.range 100).foldl (· + ·) 0 = 90 := sorry
