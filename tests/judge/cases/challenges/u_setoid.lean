def s : Setoid Nat := sorry
theorem t : s.r 1 2 := sorry
