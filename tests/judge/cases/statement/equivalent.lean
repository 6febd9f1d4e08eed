def double (n : Nat) : Nat := n + n

theorem double_even (n : Nat) : 0 = double n % 2 := by
  unfold double
  omega
