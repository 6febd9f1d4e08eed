def halve (n : Nat) : Nat := n / 2

theorem half_spec (n : Nat) : 2 * halve n = n ∨ 2 * halve n + 1 = n := by
  unfold halve
  omega
