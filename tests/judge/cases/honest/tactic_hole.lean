def f (n : Nat) : Nat := by
  exact n
theorem t (n : Nat) : f n = n := rfl
