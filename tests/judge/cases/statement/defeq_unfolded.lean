def double (n : Nat) : Nat := n + n

theorem double_even (n : Nat) : (n + n) % 2 = 0 := by omega
