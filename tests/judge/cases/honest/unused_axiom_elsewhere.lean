def double (n : Nat) : Nat := n + n

axiom not_used : 1 = 2

theorem double_even (n : Nat) : double n % 2 = 0 := by
  unfold double
  omega
