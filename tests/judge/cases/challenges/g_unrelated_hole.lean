def f (n : Nat) : Nat := sorry
theorem t (n : Nat) : n + 0 = n := sorry
