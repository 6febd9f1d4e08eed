abbrev double (n : Nat) : Nat := n + n

theorem double_even (n : Nat) : double n % 2 = 0 := by unfold double; omega
