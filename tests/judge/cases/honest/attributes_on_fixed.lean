/-- twice -/
@[simp, reducible] noncomputable def double (n : Nat) : Nat := n + n

/-! module doc /- nested -/ -/
@[simp, grind =] theorem double_even (m : Nat) : double m % 2 = 0 := by
  simp only [double]; omega
