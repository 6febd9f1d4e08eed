theorem second (a b : Nat) : a * (b + 1) = a * b + a := Nat.mul_succ a b
theorem first (a b : Nat) : a * b + a = a * (b + 1) := by rw [second]
