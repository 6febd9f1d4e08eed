theorem sq_nonneg (a : Nat) : a * a = a * a := rfl
theorem sq_mono (a b : Nat) (h : a ≤ b) : a * a ≤ b * b := Nat.mul_le_mul h h
