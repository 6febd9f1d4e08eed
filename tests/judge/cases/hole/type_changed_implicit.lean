def half (n : Nat) (k : Nat := 2) : Nat := n / k
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by unfold half; omega
