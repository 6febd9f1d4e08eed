theorem first (a b : Nat) : a * b + a = a * (b + 1) := sorry

theorem known (a : Nat) : a + 0 = a := by simp

theorem second (a b : Nat) : a * (b + 1) = a * b + a := (first a b).symm
