def half (n : Nat) : Nat := if n / 2 > n then panic! "no" else n / 2
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  unfold half
  rw [if_neg (by omega)]; omega
