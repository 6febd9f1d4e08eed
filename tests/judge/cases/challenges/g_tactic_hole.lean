def f (n : Nat) : Nat := by
  sorry
theorem t (n : Nat) : f n = n := sorry
