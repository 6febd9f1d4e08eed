def double (n : Nat) : Nat := n + n

theorem not_needed (n : Nat) : double n = 2 * n := sorry

theorem double_even (n : Nat) : double n % 2 = 0 := by
  unfold double
  omega
