def double (n : Nat) : Nat := n + n
abbrev double_even (n : Nat) : double n % 2 = 0 := by unfold double; omega
