def double (n : Nat) : Nat := n + n
theorem dοuble_even (n : Nat) : double n % 2 = 0 := by unfold double; omega
