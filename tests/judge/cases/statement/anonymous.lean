def double (n : Nat) : Nat := n + n

example (n : Nat) : double n % 2 = 0 := by
  unfold double
  omega
