def f (n : Nat) (h : 0 < n := by sorry) : Nat := n
theorem t (n : Nat) : f 1 = 1 := sorry
