open Classical in
def half (n : Nat) : Nat := if ∃ m, n = m + m then n / 2 else n / 2

theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  unfold half
  split <;> omega
