def half (n : Nat) : Nat :=
  if ∃ x ∈ [n], x % 2 = 0 then n / 2 else (n - 1) / 2
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  unfold half
  split <;> simp_all <;> omega
