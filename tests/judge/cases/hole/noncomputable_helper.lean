noncomputable def helper (n : Nat) : Nat := n / 2

def half (n : Nat) : Nat := helper n

theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  unfold half helper
  omega
