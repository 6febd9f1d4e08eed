def f : Nat × Nat := (sorry, 1)
theorem t : f.2 = 1 := sorry
