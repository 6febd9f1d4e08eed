/-- docs -/
@[inline] abbrev half (n : Nat) : Nat := n >>> 1
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  unfold half; rw [Nat.shiftRight_eq_div_pow]; omega
